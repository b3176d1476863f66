//! Log lines and counters of a guest, limited in rate and number.
//!
//! Lines go to the engine's [`GuestLogSink`]. The last errors of a call are kept, since a language
//! runtime logs them before it aborts. Time comes in as an argument.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::bindings::tidegate::operator::host::Level;
use crate::cost::LOG_LINE_BYTES;
use crate::guest_log_sink::{GuestLogSink, LogLevel, LogSource};
use crate::guest_text;
use crate::limits::Limits;

/// The largest number of error messages of one call that are kept.
const ERRORS: usize = 100;
/// The largest number of counters that one instance may name.
const COUNTERS: usize = 256;
/// The largest number of bytes of a counter's name.
const COUNTER_NAME_BYTES: usize = 128;

/// The log of one operator instance.
#[derive(Debug)]
pub(crate) struct GuestLog {
    operator: String,
    subtask: u32,
    sink: Arc<dyn GuestLogSink>,
    rate: LogRate,
    /// The number of lines dropped and not yet added to the host's metrics.
    dropped: u64,
    /// The last error-level messages of the current call: as many as fit.
    errors: VecDeque<GuestError>,
}

/// A message that may explain a trap.
#[derive(Debug)]
struct GuestError {
    /// The message, unescaped.
    message: String,
    /// The line of the log, until it is written. A fault shows the message instead.
    held: Option<String>,
}

impl GuestLog {
    pub(crate) fn new(
        operator: String,
        subtask: u32,
        sink: Arc<dyn GuestLogSink>,
        limits: &Limits,
    ) -> Self {
        Self {
            operator,
            subtask,
            sink,
            rate: LogRate::new(limits.log_lines_per_second, limits.log_bytes_per_second),
            dropped: 0,
            errors: VecDeque::new(),
        }
    }

    /// Drops the errors of the last call. Called at the start of every call into the guest.
    pub(crate) fn forget_errors(&mut self) {
        self.write_held();
        self.errors.clear();
    }

    /// Returns the last error-level messages of the current call, each on its own lines, unescaped.
    /// Those that were not yet written are left out of the log.
    pub(crate) fn take_errors(&mut self) -> Option<String> {
        let errors = std::mem::take(&mut self.errors);
        let mut lines = errors.iter().map(|error| error.message.trim_end());
        let first = lines.next()?;
        Some(lines.fold(first.to_owned(), |text, line| text + "\n" + line))
    }

    /// Writes the errors that waited for the end of their call. Called at the end of every call.
    pub(crate) fn write_held(&mut self) {
        let held = self.errors.iter_mut().filter_map(|error| error.held.take());
        for line in held.collect::<Vec<_>>() {
            self.sink.write(self.source(), LogLevel::Error, &line);
        }
    }

    /// Returns the number of lines dropped since the last call of this function.
    pub(crate) fn take_dropped(&mut self) -> u64 {
        std::mem::take(&mut self.dropped)
    }

    /// Writes a line, or drops it if there were too many in this second. An error waits for the
    /// next line or the end of the call: if the guest traps, the fault shows the error.
    pub(crate) fn write(&mut self, level: Level, message: String, now: Instant) {
        let line = self.admitted(&message, now);
        if level == Level::Error {
            let message = guest_text::cut(&message).into_owned();
            return self.keep(GuestError {
                message,
                held: line,
            });
        }
        self.write_held();
        if let Some(line) = line {
            self.sink.write(self.source(), level.into(), &line);
        }
    }

    /// Returns the line of a message, escaped, if it is within the rate.
    fn admitted(&mut self, message: &str, now: Instant) -> Option<String> {
        let Admission::Write { dropped_before } = self.rate.admit(now) else {
            self.dropped += 1;
            return None;
        };
        if dropped_before > 0 {
            self.write_held();
            self.sink.report_dropped(self.source(), dropped_before);
        }
        let line = guest_text::one_line(message);
        self.rate.count(line.len() as u64 + LOG_LINE_BYTES);
        Some(line)
    }

    /// Keeps a message that may explain a trap; the oldest messages make room.
    fn keep(&mut self, error: GuestError) {
        self.errors.push_back(error);
        let is_full = |errors: &VecDeque<GuestError>| {
            let bytes = errors.iter().map(|error| error.message.len());
            errors.len() > ERRORS || bytes.sum::<usize>() > guest_text::MAX_BYTES
        };
        while self.errors.len() > 1 && is_full(&self.errors) {
            let oldest = self.errors.pop_front();
            if let Some(line) = oldest.and_then(|oldest| oldest.held) {
                self.sink.write(self.source(), LogLevel::Error, &line);
            }
        }
    }

    fn source(&self) -> LogSource<'_> {
        LogSource {
            operator: &self.operator,
            subtask: self.subtask,
        }
    }
}

impl From<Level> for LogLevel {
    fn from(level: Level) -> Self {
        match level {
            Level::Trace => Self::Trace,
            Level::Debug => Self::Debug,
            Level::Info => Self::Info,
            Level::Warn => Self::Warn,
            Level::Error => Self::Error,
        }
    }
}

/// The decision about a log line.
#[derive(Debug, PartialEq, Eq)]
enum Admission {
    /// The line is written, after a report of the lines dropped before it.
    Write { dropped_before: u64 },
    /// The line is dropped.
    Drop,
}

/// Admits a number of lines in each second, and a number of bytes: the line that reaches the latter
/// is the last.
#[derive(Debug)]
struct LogRate {
    lines_per_second: u32,
    bytes_per_second: u64,
    second_began: Option<Instant>,
    lines: u32,
    bytes: u64,
    dropped: u64,
}

impl LogRate {
    fn new(lines_per_second: u32, bytes_per_second: u64) -> Self {
        Self {
            lines_per_second,
            bytes_per_second,
            second_began: None,
            lines: 0,
            bytes: 0,
            dropped: 0,
        }
    }

    fn admit(&mut self, now: Instant) -> Admission {
        let same_second = self
            .second_began
            .is_some_and(|began| now.saturating_duration_since(began) < Duration::from_secs(1));
        if !same_second {
            self.second_began = Some(now);
            self.lines = 0;
            self.bytes = 0;
        }
        if self.lines >= self.lines_per_second || self.bytes >= self.bytes_per_second {
            self.dropped += 1;
            return Admission::Drop;
        }
        self.lines += 1;
        Admission::Write {
            dropped_before: std::mem::take(&mut self.dropped),
        }
    }

    /// Counts the bytes of an admitted line.
    fn count(&mut self, bytes: u64) {
        self.bytes = self.bytes.saturating_add(bytes);
    }
}

/// The counters of one operator instance. A name once used keeps its place, so that the number of
/// metrics is bounded over the whole life of the instance.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    deltas: BTreeMap<String, u64>,
    refused: bool,
}

/// A counter that is rejected: there are too many, or its name is unfit to be shown.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct RefusedCounter {
    /// True the first time, when a warning is due.
    pub(crate) first: bool,
}

impl Counters {
    pub(crate) fn add(&mut self, metric: String, delta: u64) -> Result<(), RefusedCounter> {
        if let Some(sum) = self.deltas.get_mut(&metric) {
            *sum = sum.saturating_add(delta);
            return Ok(());
        }
        let printable = metric.chars().all(|character| character.is_ascii_graphic());
        let fits = (1..=COUNTER_NAME_BYTES).contains(&metric.len());
        if !printable || !fits || self.deltas.len() >= COUNTERS {
            let first = !std::mem::replace(&mut self.refused, true);
            return Err(RefusedCounter { first });
        }
        self.deltas.insert(metric, delta);
        Ok(())
    }

    /// Returns the additions since the last call, by name.
    pub(crate) fn drain(&mut self) -> Vec<(String, u64)> {
        let changed = self.deltas.iter_mut().filter(|(_, delta)| **delta > 0);
        changed
            .map(|(name, delta)| (name.clone(), std::mem::take(delta)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn lines_past_the_rate_are_dropped_until_the_next_second_which_counts_them() {
        let mut rate = LogRate::new(2, u64::MAX);
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let admitted = [0, 1, 2, 999, 1000, 1001].map(|ms| rate.admit(at(ms)));
        let write = |dropped_before| Admission::Write { dropped_before };
        let expected = [
            write(0),
            write(0),
            Admission::Drop,
            Admission::Drop,
            write(2),
            write(0),
        ];
        assert_eq!(admitted, expected);
    }

    /// A sink that keeps its lines.
    #[derive(Debug, Default)]
    struct Kept(Mutex<Vec<String>>);

    impl Kept {
        fn push(&self, entry: String) {
            self.0.lock().expect("no test panics here").push(entry);
        }
    }

    impl GuestLogSink for Kept {
        fn write(&self, source: LogSource<'_>, level: LogLevel, line: &str) {
            let LogSource { operator, subtask } = source;
            self.push(format!("{operator}/{subtask} {level:?}: {line}"));
        }

        fn report_dropped(&self, source: LogSource<'_>, lines: u64) {
            let LogSource { operator, subtask } = source;
            self.push(format!("{operator}/{subtask}: {lines} dropped"));
        }
    }

    #[test]
    fn a_sink_gets_the_lines_within_the_rate_and_hears_of_the_others_before_the_next() {
        let kept = Arc::new(Kept::default());
        let limits = Limits {
            log_lines_per_second: 1,
            ..Limits::default()
        };
        let sink = Arc::clone(&kept) as Arc<dyn GuestLogSink>;
        let mut log = GuestLog::new("count".to_owned(), 1, sink, &limits);
        let start = Instant::now();
        for (line, ms) in [("a", 0), ("b", 1), ("c", 2), ("d", 1000)] {
            let now = start + Duration::from_millis(ms);
            log.write(Level::Warn, line.to_owned(), now);
        }
        let expected = ["count/1 Warn: a", "count/1: 2 dropped", "count/1 Warn: d"];
        assert_eq!(*kept.0.lock().expect("no test panics here"), expected);
        assert_eq!(log.take_dropped(), 2);
    }

    fn log_of(kept: &Arc<Kept>) -> GuestLog {
        let sink = Arc::clone(kept) as Arc<dyn GuestLogSink>;
        GuestLog::new("count".to_owned(), 1, sink, &Limits::default())
    }

    #[test]
    fn an_error_waits_for_the_next_line_or_the_end_of_the_call() {
        let kept = Arc::new(Kept::default());
        let mut log = log_of(&kept);
        let lines = || kept.0.lock().expect("no test panics here").len();
        log.write(Level::Error, "a".to_owned(), Instant::now());
        log.write(Level::Error, "b".to_owned(), Instant::now());
        assert_eq!(lines(), 0);
        log.write(Level::Info, "c".to_owned(), Instant::now());
        assert_eq!(lines(), 3);
        log.write(Level::Error, "d".to_owned(), Instant::now());
        log.forget_errors();
        let expected = ["Error: a", "Error: b", "Info: c", "Error: d"];
        let expected = expected.map(|line| format!("count/1 {line}"));
        assert_eq!(*kept.0.lock().expect("no test panics here"), expected);
        assert_eq!(log.take_errors(), None);
    }

    #[test]
    fn errors_that_are_taken_for_a_fault_are_not_also_lines_of_the_log() {
        let kept = Arc::new(Kept::default());
        let mut log = log_of(&kept);
        log.write(Level::Error, "a\n".to_owned(), Instant::now());
        log.write(Level::Info, "b".to_owned(), Instant::now());
        log.write(Level::Error, "c\u{1b}".to_owned(), Instant::now());
        assert_eq!(log.take_errors().as_deref(), Some("a\nc\u{1b}"));
        log.write_held();
        let expected = ["count/1 Error: a\\n", "count/1 Info: b"];
        assert_eq!(*kept.0.lock().expect("no test panics here"), expected);
    }

    #[test]
    fn an_error_that_makes_room_for_others_is_written() {
        let kept = Arc::new(Kept::default());
        let mut log = log_of(&kept);
        for index in 0..ERRORS + 1 {
            log.write(Level::Error, index.to_string(), Instant::now());
        }
        assert_eq!(
            *kept.0.lock().expect("no test panics here"),
            ["count/1 Error: 0"]
        );
    }

    #[test]
    fn a_rate_of_zero_lets_nothing_through() {
        for mut rate in [LogRate::new(0, u64::MAX), LogRate::new(u32::MAX, 0)] {
            assert_eq!(rate.admit(Instant::now()), Admission::Drop);
        }
    }

    #[test]
    fn bytes_past_the_rate_are_dropped_but_for_the_line_that_reaches_it() {
        let mut rate = LogRate::new(100, 1_000);
        let start = Instant::now();
        let mut admitted = |ms| {
            let admission = rate.admit(start + Duration::from_millis(ms));
            rate.count(600);
            admission
        };
        let write = |dropped_before| Admission::Write { dropped_before };
        let expected = [write(0), write(0), Admission::Drop, write(1)];
        assert_eq!([0, 1, 2, 1_000].map(&mut admitted), expected);
    }

    #[test]
    fn counters_are_drained_in_order_and_start_again_at_zero() {
        let mut counters = Counters::default();
        for (metric, delta) in [("late", 2), ("early", 1), ("late", u64::MAX)] {
            counters.add(metric.to_owned(), delta).expect("it fits");
        }
        let drained = counters.drain();
        assert_eq!(
            drained,
            [("early".to_owned(), 1), ("late".to_owned(), u64::MAX)]
        );
        assert_eq!(counters.drain(), []);
    }

    #[test]
    fn the_number_of_counters_is_bounded_over_the_life_of_an_instance() {
        let mut counters = Counters::default();
        for index in 0..COUNTERS {
            counters.add(format!("c{index}"), 1).expect("it fits");
        }
        counters.drain();
        let refused = ["x", "y"].map(|name| counters.add(name.to_owned(), 1));
        assert_eq!(
            refused,
            [true, false].map(|first| Err(RefusedCounter { first }))
        );
        assert_eq!(counters.add("c7".to_owned(), 1), Ok(()));
    }

    #[test]
    fn a_counter_name_is_short_and_printable() {
        let mut counters = Counters::default();
        let names = ["", "a b", "esc\u{1b}", &"x".repeat(COUNTER_NAME_BYTES + 1)];
        let refused = names.map(|name| counters.add(name.to_owned(), 1).is_err());
        assert_eq!(refused, [true; 4]);
    }
}
