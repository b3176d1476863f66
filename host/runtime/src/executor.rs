//! Runs the parts of a job: a thread for each chain, tasks for work that only waits, other threads
//! for work that blocks.
//!
//! The one seam between the runtime and threads, so that a simulation can run a whole job in one
//! thread, in an order that a seed decides. Every start may be refused and every task may die; the
//! caller learns of both. Decides nothing about jobs. Called when a part starts, never for a
//! record.

mod blocking;
mod blocking_pool;

use std::io;
use std::sync::Arc;
use std::thread;

use thiserror::Error;
use tidegate_connector::source::BoxFuture;
use tidegate_operator::panic_message;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::JoinError;

use crate::room::check_thread;

use blocking_pool::BlockingPool;

pub(crate) use blocking::{Blocking, NotDone, blocking};

/// Guests run on the stack of their chain's thread: theirs is 512 KiB, the rest is ours.
const STACK_BYTES: usize = 4 << 20;

/// A future that runs until it is over. It does not panic.
pub type Task = BoxFuture<'static, ()>;

/// Ready when a task is over and everything that it owned is gone.
pub type Joined = BoxFuture<'static, Result<(), TaskDied>>;

/// Work that blocks. It does not panic.
pub type BlockingWork = Box<dyn FnOnce() + Send>;

/// A task that did not come to its own end.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{reason}")]
pub struct TaskDied {
    /// The message of its panic, or another reason for its end.
    pub reason: String,
}

/// Runs the parts of a job. Each call returns at once.
pub trait Executor: Send + Sync {
    /// Runs a chain, which may compute for seconds between two waits.
    ///
    /// # Errors
    ///
    /// The system has no room for it; it was not started.
    fn start_chain(&self, chain: Task) -> io::Result<Joined>;

    /// Runs a task that never blocks.
    ///
    /// # Errors
    ///
    /// The system has no room for it; it was not started.
    fn spawn(&self, task: Task) -> io::Result<Joined>;

    /// Runs work that blocks.
    ///
    /// # Errors
    ///
    /// The system has no room for it; it was not and will not be run.
    fn run_blocking(&self, work: BlockingWork) -> io::Result<()>;
}

/// Threads of the operating system, and the tokio runtime that the caller is in.
///
/// tokio's own threads for blocking work are not used: `spawn_blocking` panics when the system
/// refuses a thread.
#[derive(Clone, Debug)]
pub struct Threads {
    pool: Arc<BlockingPool>,
}

impl Threads {
    /// Starts the threads for blocking work that every job needs.
    ///
    /// # Errors
    ///
    /// The system refuses one.
    pub fn start() -> io::Result<Self> {
        let pool = Arc::new(BlockingPool::start()?);
        Ok(Self { pool })
    }
}

impl Executor for Threads {
    fn start_chain(&self, chain: Task) -> io::Result<Joined> {
        check_thread()?;
        let runtime = Handle::current();
        let (ending, has_ended) = oneshot::channel::<()>();
        let thread = thread::Builder::new().name("tidegate-chain".to_owned());
        let spawned = thread.stack_size(STACK_BYTES);
        let thread = spawned.spawn(move || {
            // Dropped after the chain, also in a panic.
            let _ending = ending;
            runtime.block_on(chain);
        })?;
        Ok(Box::pin(async move {
            // Never sent: the channel closes when the chain is gone, and its thread has all but
            // ended.
            _ = has_ended.await;
            thread.join().map_err(|panic| TaskDied {
                reason: panic_message(&*panic),
            })
        }))
    }

    fn spawn(&self, task: Task) -> io::Result<Joined> {
        let task = tokio::spawn(task);
        Ok(Box::pin(async move {
            let died = |error: JoinError| TaskDied {
                reason: match error.try_into_panic() {
                    Ok(panic) => panic_message(&*panic),
                    Err(error) => error.to_string(),
                },
            };
            task.await.map_err(died)
        }))
    }

    fn run_blocking(&self, work: BlockingWork) -> io::Result<()> {
        self.pool.run(work)
    }
}

#[cfg(test)]
mod tests;
