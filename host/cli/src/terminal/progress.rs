//! The messages about a running job: events that its status shows, and its progress. Pure, except
//! for the counters kept from one status to the next.

use std::time::Duration;

use bytesize::ByteSize;
use tidegate_runtime::observe::{JobState, JobStatus};
use tidegate_runtime::{Outcome, RecordFault};

/// Compares each status of a job with the one before.
///
/// Statuses come several times a second, so a short state can be missed; counters can't.
#[derive(Debug, Default)]
pub(crate) struct Narrator {
    is_started: bool,
    restarts: u32,
    isolation_restarts: u32,
    failed_checkpoints: u64,
    failed_drills: u64,
    restored_attempt: u64,
    /// The failure that was shown last.
    shown_failure: Option<String>,
    /// The records and the uptime of the last call of [`Self::progress`].
    measured: (u64, u64),
}

impl Narrator {
    /// Returns the events that this status shows, one line each.
    pub(crate) fn events(&mut self, status: &JobStatus) -> Vec<String> {
        let mut lines = Vec::new();
        if status.restarts > self.restarts {
            self.restarts = status.restarts;
            let why = self.failure(status);
            lines.push(format!("restart {}: {why}", status.restarts));
        }
        if status.isolation_restarts > self.isolation_restarts {
            self.isolation_restarts = status.isolation_restarts;
            let why = self.failure(status);
            lines.push(format!("isolating a record: {why}"));
        }
        let failed = status.checkpoints.failed;
        if failed > self.failed_checkpoints {
            self.failed_checkpoints = failed;
            let why = status
                .checkpoints
                .last_failure
                .as_deref()
                .unwrap_or("unknown");
            lines.push(format!("a checkpoint failed, the job continues: {why}"));
        }
        let drills = &status.checkpoints.drills;
        if drills.failed > self.failed_drills {
            self.failed_drills = drills.failed;
            let why = drills.last_failure.as_deref().unwrap_or("unknown");
            lines.push(format!("A RESTORE DRILL FAILED, the job continues: {why}"));
        }
        let is_restored = match status.state {
            JobState::Running | JobState::Stopping | JobState::Finished | JobState::Stopped => true,
            JobState::Restoring | JobState::Restarting | JobState::Cancelled | JobState::Failed => {
                false
            }
        };
        if is_restored && status.attempt > self.restored_attempt {
            self.restored_attempt = status.attempt;
            lines.push(self.start_line(status));
        }
        lines
    }

    /// Returns the last failure, or as much of it as differs from the failure shown before.
    fn failure(&mut self, status: &JobStatus) -> String {
        let Some(failure) = &status.last_failure else {
            return "unknown".to_owned();
        };
        let before = self.shown_failure.replace(failure.clone());
        let before = before.as_deref().map(RecordFault::split_text);
        let (fault, record) = RecordFault::split_text(failure);
        match before {
            Some((same, same_record)) if same == fault && same_record == record => {
                "the same failure as before".to_owned()
            }
            Some((same, _)) if same == fault => format!("the same failure as before{record}"),
            Some(_) | None => failure.clone(),
        }
    }

    fn start_line(&mut self, status: &JobStatus) -> String {
        let job = &status.job;
        let is_first = !std::mem::replace(&mut self.is_started, true);
        match (is_first, status.restored_checkpoint) {
            (true, None | Some(0)) => format!("{job}: starts fresh"),
            (true, Some(checkpoint)) => format!("{job}: continues from checkpoint {checkpoint}"),
            (false, None | Some(0)) => format!("{job}: restarted from the beginning"),
            (false, Some(checkpoint)) => {
                format!("{job}: restarted from checkpoint {checkpoint}")
            }
        }
    }

    /// Returns the progress of the job, with the rate since the last call.
    pub(crate) fn progress(&mut self, status: &JobStatus) -> String {
        let (records, uptime) = (status.source_records, status.uptime_ms);
        let (records_before, uptime_before) = self.measured;
        self.measured = (records, uptime);
        let rate = per_second(
            records.saturating_sub(records_before),
            uptime.saturating_sub(uptime_before),
        );
        let mut line = format!(
            "{}: {} records, {} records/s, {} checkpoint(s)",
            status.state,
            grouped(records),
            grouped(rate),
            grouped(status.checkpoints.completed)
        );
        if let Some(last) = &status.checkpoints.last_completed {
            let (id, ms) = (last.checkpoint, last.duration_ms);
            let bytes = ByteSize(last.state_bytes);
            line.push_str(&format!(", last {id} in {ms:.0} ms with {bytes}"));
        }
        if status.restarts > 0 {
            line.push_str(&format!(", {} restart(s)", status.restarts));
        }
        line.push_str(&dead_letters(status));
        line
    }
}

/// Returns the last line of a run that did not fail.
pub(crate) fn summary(outcome: &Outcome, status: &JobStatus) -> String {
    let job = &status.job;
    let ended = match outcome {
        Outcome::AlreadyFinished => {
            return format!("{job}: already finished in an earlier run; nothing to do");
        }
        Outcome::Finished => "finished".to_owned(),
        Outcome::Stopped { checkpoint } => {
            format!("stopped at checkpoint {checkpoint}; run the job again to continue")
        }
        Outcome::Cancelled => "cancelled without a last checkpoint".to_owned(),
    };
    let time = humantime::format_duration(Duration::from_millis(status.uptime_ms));
    format!(
        "{job}: {ended}; {} records in {time} ({} records/s), {} checkpoint(s), {} restart(s){}",
        grouped(status.source_records),
        grouped(per_second(status.source_records, status.uptime_ms)),
        grouped(status.checkpoints.completed),
        status.restarts,
        dead_letters(status)
    )
}

/// Returns the part of the line about records that could not be processed, which comes last.
fn dead_letters(status: &JobStatus) -> String {
    match status.invalid_records.dead_letters {
        0 => String::new(),
        letters => format!(", {} dead letter(s)", grouped(letters)),
    }
}

fn per_second(records: u64, millis: u64) -> u64 {
    records
        .saturating_mul(1000)
        .checked_div(millis)
        .unwrap_or(0)
}

/// Returns `1234567` as `1,234,567`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use tidegate_runtime::observe::CompletedSummary;

    use super::*;

    fn status(state: JobState, attempt: u64) -> JobStatus {
        let mut status = JobStatus::new("sums");
        status.state = state;
        status.attempt = attempt;
        status
    }

    #[test]
    fn a_fresh_start_is_told_once() {
        let mut narrator = Narrator::default();
        let restoring = status(JobState::Restoring, 1);
        assert!(narrator.events(&restoring).is_empty());
        let running = status(JobState::Running, 1);
        assert_eq!(narrator.events(&running), ["sums: starts fresh"]);
        assert!(narrator.events(&running).is_empty());
    }

    #[test]
    fn checkpoint_0_is_the_start_of_a_job() {
        let mut running = status(JobState::Running, 1);
        running.restored_checkpoint = Some(0);
        assert_eq!(Narrator::default().events(&running), ["sums: starts fresh"]);
        running.restored_checkpoint = Some(7);
        let events = Narrator::default().events(&running);
        assert_eq!(events, ["sums: continues from checkpoint 7"]);
    }

    #[test]
    fn a_restart_that_no_status_showed_is_told_all_the_same() {
        let mut narrator = Narrator::default();
        drop(narrator.events(&status(JobState::Running, 1)));
        let mut later = status(JobState::Running, 2);
        later.restarts = 1;
        later.last_failure = Some("count[0]: trap".to_owned());
        later.restored_checkpoint = Some(4);
        later.checkpoints.failed = 1;
        later.checkpoints.last_failure = Some("disk full".to_owned());
        later.checkpoints.drills.failed = 1;
        later.checkpoints.drills.last_failure = Some("checkpoint 3: lost".to_owned());
        assert_eq!(
            narrator.events(&later),
            [
                "restart 1: count[0]: trap",
                "a checkpoint failed, the job continues: disk full",
                "A RESTORE DRILL FAILED, the job continues: checkpoint 3: lost",
                "sums: restarted from checkpoint 4",
            ]
        );
    }

    #[test]
    fn a_failure_that_returns_is_shown_once() {
        let mut narrator = Narrator::default();
        let mut restarted = |restarts, failure: &str| {
            let mut status = status(JobState::Restarting, 1);
            status.restarts = restarts;
            status.last_failure = Some(failure.to_owned());
            narrator.events(&status)
        };
        let fault = "count[0]: trap\n    at price";
        let [many, one] =
            ["one of 3", "key `pears`"].map(|record| format!("\n    record: {record}"));
        let first = format!("{fault}{many}");
        assert_eq!(restarted(1, &first), [format!("restart 1: {first}")]);
        let known = format!("{fault}{one}");
        assert_eq!(
            restarted(2, &known),
            [format!("restart 2: the same failure as before{one}")]
        );
        assert_eq!(
            restarted(3, &known),
            ["restart 3: the same failure as before"]
        );
        assert_eq!(restarted(4, "disk full"), ["restart 4: disk full"]);
        assert_eq!(restarted(5, &known), [format!("restart 5: {known}")]);
    }

    #[test]
    fn progress_shows_the_rate_since_it_was_shown_last() {
        let mut narrator = Narrator::default();
        let mut status = status(JobState::Running, 1);
        (status.source_records, status.uptime_ms) = (1_000_000, 1000);
        drop(narrator.progress(&status));
        (status.source_records, status.uptime_ms) = (1_500_000, 3000);
        status.checkpoints.completed = 2;
        status.checkpoints.last_completed = Some(CompletedSummary {
            checkpoint: 2,
            duration_ms: 14.2,
            longest_snapshot_ms: 1.0,
            state_bytes: 1 << 20,
            completed_at_ms: 0,
        });
        assert_eq!(
            narrator.progress(&status),
            "running: 1,500,000 records, 250,000 records/s, 2 checkpoint(s), \
             last 2 in 14 ms with 1.0 MiB"
        );
    }

    #[test]
    fn a_summary_says_how_it_ended() {
        let mut status = status(JobState::Finished, 1);
        (status.source_records, status.uptime_ms) = (1_000, 2_000);
        status.checkpoints.completed = 3;
        assert_eq!(
            summary(&Outcome::Finished, &status),
            "sums: finished; 1,000 records in 2s (500 records/s), 3 checkpoint(s), 0 restart(s)"
        );
        assert_eq!(
            summary(&Outcome::AlreadyFinished, &status),
            "sums: already finished in an earlier run; nothing to do"
        );
    }
}
