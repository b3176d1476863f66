//! The waits, queues and retries of the runtime that no user sets.
//!
//! A test holds that no other file of the crate declares a wait or the length of a queue.

use std::time::Duration;

/// Control messages that wait for a chain; more than a few means that it is stuck.
pub(crate) const CONTROL_CAPACITY: usize = 256;

/// Events that wait for the driver, which always reads them.
pub(crate) const EVENT_CAPACITY: usize = 1024;

/// Snapshots that wait for a persister. One checkpoint is in flight, so there are few.
pub(crate) const PERSIST_CAPACITY: usize = 4;

/// Commands that wait for a job. A handful of users and scripts send them.
pub(crate) const COMMAND_CAPACITY: usize = 16;

/// The interval at which the status is recomputed.
pub(crate) const STATUS_INTERVAL: Duration = Duration::from_millis(250);

/// The same interval while the sources replay records that are isolated: a checkpoint follows as
/// soon as the replay is over.
pub(crate) const ISOLATION_INTERVAL: Duration = Duration::from_millis(10);

/// The wait before a failed last checkpoint is tried again.
pub(crate) const RETRY_WHEN_ENDING: Duration = Duration::from_secs(1);

/// The least time from the end of a checkpoint to the start of one that guests ask for, and the
/// only such time if one asks for it urgently.
pub(crate) const LEAST_WISH_DISTANCE: Duration = Duration::from_millis(100);

/// The time for which a busy chain lets receivers sleep after it began to have something for them:
/// many small batches become a few larger ones, and the processor is not passed to and fro. A chain
/// that is not busy wakes them before it sleeps, and a slow one after each call.
pub(crate) const WAKE_DELAY: Duration = Duration::from_millis(2);

/// However many channels there are, each holds this many bytes.
pub(crate) const LEAST_CHANNEL_CAPACITY: u32 = 4 << 10;

/// The most bytes of a batch that was joined while it waited in a channel.
pub(crate) const JOINED_BYTES: u32 = 64 << 10;

/// A receiver that sleeps is woken at once when a channel has this many bytes for it.
pub(crate) const WAKING_BYTES: u32 = 32 << 10;

/// Threads for blocking work that are always there: a restore drill, of which there is one at a
/// time, occupies one for as long as its guest computes, and a discovery of splits another for as
/// long as a file system does not answer. Two are left for checkpoints.
pub(crate) const LEAST_BLOCKING_THREADS: usize = 4;

/// The most threads for blocking work. Disks gain nothing from more.
pub(crate) const MOST_BLOCKING_THREADS: usize = 128;

/// Sinks that commit at once, at most; each blocks a thread meanwhile.
pub(crate) const COMMITS_AT_ONCE: usize = 16;

/// The time for which a further thread for blocking work waits for more to do.
pub(crate) const BLOCKING_THREAD_IDLE: Duration = Duration::from_secs(10);

/// The calls of a guest between which a chain can't be told to leave: those that replace an
/// instance.
pub(crate) const CALLS_OF_A_REPLACEMENT: u32 = 4;

/// The replacements of an instance in a row, each filled by its first batch, that are a fault.
pub(crate) const MOST_RECYCLES_IN_VAIN: u32 = 5;

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    /// Returns true if a line declares a wait, or a queue with a length of its own.
    fn declares_one(line: &str) -> bool {
        let after = line.split_once("channel(").map(|(_, after)| after);
        let has_length = after.is_some_and(|after| after.starts_with(|c: char| c.is_ascii_digit()));
        let is_wait = line.contains("const ") && line.contains(": Duration =");
        has_length || is_wait
    }

    /// Returns the declarations in a file, without its tests.
    fn found(path: &Path, text: &str) -> Vec<String> {
        let code = text.split("\n#[cfg(test)]\nmod tests {").next();
        let lines = code.unwrap_or_default().lines();
        let found = lines.filter(|line| declares_one(line));
        found
            .map(|line| format!("{}: {}", path.display(), line.trim()))
            .collect()
    }

    fn sources(folder: &Path, files: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).expect("the sources are there") {
            let path = entry.expect("they can be listed").path();
            // Models of the protocol are tests in files of their own.
            let is_test = ["tests", "model", "walks", "exploration", "chain_model"];
            let stem = path.file_stem().unwrap_or_default().to_string_lossy();
            if is_test.contains(&&*stem) {
                continue;
            }
            match path.is_dir() {
                true => sources(&path, files),
                false => files.push(path),
            }
        }
    }

    #[test]
    fn no_other_file_declares_a_wait_or_the_length_of_a_queue() {
        let mut files = Vec::new();
        sources(
            &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
            &mut files,
        );
        files.retain(|path| !path.ends_with("config/limits.rs"));
        assert!(files.len() > 50, "{} files", files.len());
        for path in files {
            let text = std::fs::read_to_string(&path).expect("sources are text");
            assert_eq!(found(&path, &text), Vec::<String>::new());
        }
    }

    #[test]
    fn a_wait_and_a_queue_in_another_file_are_found() {
        let text = "const PAUSE: Duration = Duration::ZERO;\nlet a = mpsc::channel(16);\n";
        assert_eq!(found(Path::new("a.rs"), text).len(), 2);
        let text = "let a = mpsc::channel(limits::COMMAND_CAPACITY);\n";
        assert_eq!(found(Path::new("a.rs"), text), Vec::<String>::new());
    }
}
