//! Threads for work that blocks.
//!
//! Invariant: while the pool lives, so do [`LEAST_BLOCKING_THREADS`] threads. So work is never
//! refused for lack of a thread: it waits for one of them. The pool starts more while all are busy,
//! and these end after some idle time. A system that refuses more threads only costs time.

use std::collections::VecDeque;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use super::BlockingWork;
use crate::config::limits::{BLOCKING_THREAD_IDLE, LEAST_BLOCKING_THREADS, MOST_BLOCKING_THREADS};
use crate::room::check_thread;

/// The threads' owner: when it is dropped, they finish the queued work and end.
#[derive(Debug)]
pub(super) struct BlockingPool(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    queue: Mutex<Queue>,
    has_changed: Condvar,
}

#[derive(Default)]
struct Queue {
    work: VecDeque<BlockingWork>,
    threads: usize,
    /// Threads that wait for work.
    idle: usize,
    is_over: bool,
}

impl BlockingPool {
    pub(super) fn start() -> io::Result<Self> {
        let pool = Self(Arc::new(Shared {
            queue: Mutex::default(),
            has_changed: Condvar::new(),
        }));
        for _ in 0..LEAST_BLOCKING_THREADS {
            pool.0.start_thread(&mut pool.0.lock())?;
        }
        Ok(pool)
    }

    /// Queues work for the next thread that is free. Fails only if there is no thread at all.
    pub(super) fn run(&self, work: BlockingWork) -> io::Result<()> {
        let mut queue = self.0.lock();
        queue.work.push_back(work);
        if queue.work.len() > queue.idle && queue.threads < MOST_BLOCKING_THREADS {
            let refused = self.0.start_thread(&mut queue).err();
            if let Some(error) = refused {
                if queue.threads == 0 {
                    queue.work.pop_back();
                    return Err(error);
                }
                tracing::debug!("blocking work waits for a thread: {error}");
            }
        }
        drop(queue);
        self.0.has_changed.notify_one();
        Ok(())
    }
}

impl Drop for BlockingPool {
    fn drop(&mut self) {
        self.0.lock().is_over = true;
        self.0.has_changed.notify_all();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn start_thread(self: &Arc<Self>, queue: &mut Queue) -> io::Result<()> {
        check_thread()?;
        let shared = Arc::clone(self);
        let thread = thread::Builder::new().name("tidegate-blocking".to_owned());
        // Not joined: a caller that needs the result of a piece of work waits for the result.
        drop(thread.spawn(move || shared.work())?);
        queue.threads += 1;
        Ok(())
    }

    fn work(&self) {
        while let Some(work) = self.next() {
            // Work reports its own panics; the thread outlives each of them.
            drop(catch_unwind(AssertUnwindSafe(work)));
        }
    }

    /// Waits for work; returns `None` if the thread is to end.
    fn next(&self) -> Option<BlockingWork> {
        let mut queue = self.lock();
        let mut was_idle = false;
        loop {
            if let Some(work) = queue.work.pop_front() {
                return Some(work);
            }
            if queue.is_over || (was_idle && queue.threads > LEAST_BLOCKING_THREADS) {
                queue.threads -= 1;
                return None;
            }
            queue.idle += 1;
            let waited = self.has_changed.wait_timeout(queue, BLOCKING_THREAD_IDLE);
            let (locked, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
            queue = locked;
            queue.idle -= 1;
            was_idle = timeout.timed_out();
        }
    }
}

impl std::fmt::Debug for Queue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Queue")
            .field("work", &self.work.len())
            .field("threads", &self.threads)
            .field("idle", &self.idle)
            .field("is_over", &self.is_over)
            .finish()
    }
}

#[cfg(test)]
mod tests;
