//! The job of most storage tests: it counts by key and publishes every update, so that each line of
//! output is checked.

use crate::{JobDirectory, JobText, assert_counts, guest, published_lines};

/// A job that counts records by key.
#[derive(Clone, Debug)]
pub struct Counting {
    /// The number of records of the source.
    pub records: u64,
    /// The number of keys; each has the same number of records.
    pub keys: u64,
    /// Records per second.
    pub rate: u64,
    /// Time between checkpoints, in milliseconds.
    pub interval_ms: u64,
    /// More lines of the table `[checkpoint]`.
    pub checkpoint: &'static str,
    /// The lines of the table `[restart]`.
    pub restart: &'static str,
    /// The lines of the sink, without its inputs.
    pub sink: &'static str,
}

impl Default for Counting {
    fn default() -> Self {
        Self {
            records: 1_200,
            keys: 3,
            rate: 10_000,
            interval_ms: 15,
            checkpoint: "",
            restart: "strategy = \"fixed-delay\"\ndelay = \"5ms\"\nattempts = 2",
            sink: "connector = \"file\"\ndirectory = \"output\"\nformat = \"tsv\"",
        }
    }
}

impl Counting {
    /// Returns the job file.
    #[must_use]
    pub fn text(&self) -> String {
        let Self {
            records,
            keys,
            rate,
            interval_ms,
            checkpoint,
            restart,
            sink,
        } = self;
        let component = guest("examples/word-count/operators/count");
        let checkpoint = format!("interval = \"{interval_ms}ms\"\n{checkpoint}");
        let source = format!("to = {records}\nkeys = {keys}\nrate = {rate}");
        let sink = format!("inputs = [{{ from = \"count\" }}]\n{sink}");
        JobText::new("counting", &checkpoint)
            .table("restart", restart)
            .generator("integers", &source)
            .operator("count", component, &[("integers", "hash")], "")
            .table("sink.counts", &sink)
            .text()
    }

    /// Returns a directory with this job.
    #[must_use]
    pub fn directory(&self) -> JobDirectory {
        JobDirectory::new(&self.text())
    }

    /// Asserts that for every key the counts 1 to n are in `output` exactly once.
    ///
    /// # Panics
    ///
    /// If not, saying `context`.
    #[track_caller]
    pub fn assert_exact(&self, job: &JobDirectory, context: &str) {
        self.assert_lines_exact(&published_lines(&job.path().join("output")), context);
    }

    /// Asserts the same as [`Self::assert_exact`], of lines.
    ///
    /// # Panics
    ///
    /// If not, saying `context`.
    #[track_caller]
    pub fn assert_lines_exact(&self, lines: &[String], context: &str) {
        assert_counts(lines, self.records, self.keys, context);
    }
}
