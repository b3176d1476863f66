//! Lines on their way to standard error. Neither logging code nor the job ever waits for the reader
//! of standard error: a guest that logs is in a host function, which no call timeout ends. Lines
//! that find no room are dropped and counted.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use super::Lines;

/// The most lines that wait.
const LINES: usize = 1_024;

/// A message to the writing thread.
enum Entry {
    Lines(Lines),
    /// A request for an answer once all earlier lines are written.
    Flush(SyncSender<()>),
}

/// A handle to the waiting lines.
#[derive(Clone, Debug)]
pub(crate) struct LogQueue {
    entries: SyncSender<Entry>,
    dropped: Arc<AtomicU64>,
}

impl LogQueue {
    /// Starts the writing thread, which ends with the process.
    pub(crate) fn start(write: impl Fn(&Lines) + Send + 'static) -> io::Result<Self> {
        let (sender, entries) = sync_channel(LINES);
        let dropped = Arc::new(AtomicU64::new(0));
        let queue = Self {
            entries: sender,
            dropped: Arc::clone(&dropped),
        };
        let run = move || write_all(&entries, &dropped, write);
        // Not joined: it may be waiting for a reader.
        drop(
            thread::Builder::new()
                .name("tidegate-log".to_owned())
                .spawn(run)?,
        );
        Ok(queue)
    }

    /// Adds a line, or drops it. Never waits.
    pub(crate) fn push(&self, lines: Lines) {
        if self.entries.try_send(Entry::Lines(lines)).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Waits until all earlier lines are written.
    pub(crate) fn flush(&self) {
        let (sender, written) = sync_channel(1);
        // An error means that the thread is gone, so there is nothing to wait for.
        if self.entries.send(Entry::Flush(sender)).is_ok() {
            written.recv().ok();
        }
    }

    /// The same, but waits at most `time`.
    pub(crate) fn flush_within(&self, time: Duration) {
        let (sender, written) = sync_channel(1);
        if self.entries.try_send(Entry::Flush(sender)).is_ok() {
            written.recv_timeout(time).ok();
        }
    }
}

fn write_all(entries: &Receiver<Entry>, dropped: &AtomicU64, write: impl Fn(&Lines)) {
    for entry in entries {
        match entry {
            Entry::Lines(lines) => write(&lines),
            Entry::Flush(written) => {
                // The sender waits for the answer.
                written.send(()).ok();
            }
        }
        let dropped = dropped.swap(0, Ordering::Relaxed);
        if dropped > 0 {
            write(&Lines::one(format_args!(
                "{dropped} log lines were dropped: standard error was not read"
            )));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn a_reader_that_stands_still_costs_lines_and_no_time_and_is_told_how_many() {
        let written = Arc::new(Mutex::new(Vec::new()));
        let (go_on, may_go_on) = channel::<()>();
        let kept = Arc::clone(&written);
        let queue = LogQueue::start(move |line| {
            // Blocked until the test lets it continue, and then no more.
            may_go_on.recv().ok();
            let line = line.as_str().trim_end().to_owned();
            kept.lock().expect("no test panics with it").push(line);
        });
        let queue = queue.expect("a thread");
        for number in 0..3_000 {
            queue.push(Lines::one(format_args!("line {number}")));
        }
        drop(go_on);
        queue.flush();
        let written = written.lock().expect("no test panics with it");
        let is_line = |line: &&String| line.starts_with("line ");
        let lines = written.iter().filter(is_line).count();
        let dropped: Vec<usize> = written
            .iter()
            .filter_map(|line| line.split_once(" log lines were dropped"))
            .filter_map(|(count, _)| count.parse().ok())
            .collect();
        assert!((LINES..LINES + 2).contains(&lines), "{lines} lines");
        assert_eq!(lines + dropped.iter().sum::<usize>(), 3_000);
        assert_eq!(written[0], "line 0");
    }
}
