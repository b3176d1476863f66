//! The decisions of `tidegate dev`: when to prepare, to replace the running code, and to start it.
//! Pure.
//!
//! The invariants:
//! - at most one preparation and one job are under way;
//! - code that was not prepared without a mistake never runs;
//! - after a request to leave, nothing is prepared or started.

/// The code of a job: its job file and its components, by their digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CodeId(pub(super) [u8; 32]);

/// The beginning of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Beginning {
    /// The newest checkpoint; without one, the beginning of the input.
    Newest,
    /// The beginning of the input, because the job has finished.
    Over,
}

/// The end of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// All input was processed.
    Finished,
    /// The job can continue from its newest checkpoint.
    Stopped,
    /// The job failed, and can continue from its newest checkpoint.
    Failed,
    /// The job could not start.
    NotStarted,
}

/// What the driver does next.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Wait.
    Wait,
    /// Report that the change does not reach the code of the job.
    Unchanged,
    /// Stop the running job with a checkpoint.
    Replace,
    /// Start the code that was prepared last.
    Start(Beginning),
    /// End.
    Leave,
}

/// The job, and the code that waits for its end.
#[derive(Debug)]
enum Job {
    /// No job runs; the next one begins here.
    Idle(Beginning),
    Running(CodeId, Beginning),
    /// The old code takes its last checkpoint; newer code waits.
    Stopping,
    Finished(CodeId),
}

/// One `tidegate dev`.
#[derive(Debug)]
pub(super) struct Session {
    job: Job,
    /// The code that was prepared last.
    prepared: Option<CodeId>,
    is_changed: bool,
    is_preparing: bool,
    is_leaving: bool,
}

impl Session {
    /// Starts with everything to prepare.
    pub(super) fn new() -> Self {
        Self {
            job: Job::Idle(Beginning::Newest),
            prepared: None,
            is_changed: true,
            is_preparing: false,
            is_leaving: false,
        }
    }

    /// Something that the job depends on may have changed.
    pub(super) fn on_changed(&mut self) {
        self.is_changed = true;
    }

    /// Returns true if the driver is to prepare now: once for all changes since the last time.
    pub(super) fn begins_to_prepare(&mut self) -> bool {
        let begins = self.is_changed && !self.is_preparing && !self.is_leaving;
        if begins {
            (self.is_changed, self.is_preparing) = (false, true);
        }
        begins
    }

    /// Returns true if new code is to continue from the newest checkpoint.
    pub(super) fn continues(&self) -> bool {
        match self.job {
            Job::Idle(beginning) => beginning == Beginning::Newest,
            Job::Running(..) | Job::Stopping => true,
            Job::Finished(_) => false,
        }
    }

    /// Returns true if a job runs.
    pub(super) fn runs(&self) -> bool {
        match self.job {
            Job::Running(..) | Job::Stopping => true,
            Job::Idle(_) | Job::Finished(_) => false,
        }
    }

    /// Returns true while the running job stops for newer code.
    pub(super) fn is_replacing(&self) -> bool {
        matches!(self.job, Job::Stopping)
    }

    /// Returns true once the user ends `dev`.
    pub(super) fn is_leaving(&self) -> bool {
        self.is_leaving
    }

    /// The preparation has ended: with code that may run, or with none.
    pub(super) fn on_prepared(&mut self, code: Option<CodeId>) -> Step {
        assert!(self.is_preparing, "a preparation ended that was not begun");
        self.is_preparing = false;
        let Some(code) = code.filter(|_| !self.is_leaving) else {
            return Step::Wait;
        };
        self.prepared = Some(code);
        match self.job {
            Job::Running(running, _) | Job::Finished(running) if running == code => Step::Unchanged,
            Job::Running(..) => {
                self.job = Job::Stopping;
                Step::Replace
            }
            // The newest code is started when the old one has ended.
            Job::Stopping => Step::Wait,
            Job::Idle(beginning) => self.start(beginning),
            Job::Finished(_) => self.start(Beginning::Over),
        }
    }

    /// The job has ended.
    pub(super) fn on_ended(&mut self, ended: Ended) -> Step {
        let was = std::mem::replace(&mut self.job, Job::Idle(Beginning::Newest));
        if self.is_leaving {
            return Step::Leave;
        }
        match (was, ended) {
            (Job::Running(code, _), Ended::Finished) => {
                self.job = Job::Finished(code);
                Step::Wait
            }
            (Job::Running(_, beginning), Ended::NotStarted) => {
                self.job = Job::Idle(beginning);
                Step::Wait
            }
            (Job::Running(..), Ended::Stopped | Ended::Failed) => Step::Wait,
            // It ended by itself before it could stop.
            (Job::Stopping, Ended::Finished) => self.start(Beginning::Over),
            (Job::Stopping, Ended::Stopped | Ended::Failed | Ended::NotStarted) => {
                self.start(Beginning::Newest)
            }
            (Job::Idle(_) | Job::Finished(_), _) => unreachable!("a job ended that did not run"),
        }
    }

    /// The user ends `dev`. A running job was asked to stop already.
    pub(super) fn on_leave(&mut self) -> Step {
        self.is_leaving = true;
        match self.runs() {
            true => Step::Wait,
            false => Step::Leave,
        }
    }

    fn start(&mut self, beginning: Beginning) -> Step {
        let code = self.prepared.expect("code is prepared before it starts");
        self.job = Job::Running(code, beginning);
        Step::Start(beginning)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: CodeId = CodeId([1; 32]);
    const TWO: CodeId = CodeId([2; 32]);
    const THREE: CodeId = CodeId([3; 32]);

    /// Returns a session whose job runs this code.
    fn running(code: CodeId) -> Session {
        let mut session = Session::new();
        assert!(session.begins_to_prepare());
        let step = session.on_prepared(Some(code));
        assert_eq!(step, Step::Start(Beginning::Newest));
        session
    }

    fn prepared(session: &mut Session, code: Option<CodeId>) -> Step {
        session.on_changed();
        assert!(session.begins_to_prepare());
        session.on_prepared(code)
    }

    #[test]
    fn new_code_starts_from_the_checkpoint_of_the_old_one() {
        let mut session = running(ONE);
        assert_eq!(prepared(&mut session, Some(TWO)), Step::Replace);
        let step = session.on_ended(Ended::Stopped);
        assert_eq!(step, Step::Start(Beginning::Newest));
        assert_eq!(prepared(&mut session, Some(TWO)), Step::Unchanged);
    }

    #[test]
    fn mistakes_and_equal_code_leave_the_job_alone() {
        let mut session = running(ONE);
        assert_eq!(prepared(&mut session, None), Step::Wait);
        assert_eq!(prepared(&mut session, Some(ONE)), Step::Unchanged);
        assert_eq!(prepared(&mut session, Some(TWO)), Step::Replace);
    }

    #[test]
    fn changes_during_a_preparation_cause_one_more() {
        let mut session = Session::new();
        assert!(session.begins_to_prepare());
        session.on_changed();
        session.on_changed();
        assert!(!session.begins_to_prepare(), "one at a time");
        let step = session.on_prepared(Some(ONE));
        assert_eq!(step, Step::Start(Beginning::Newest));
        assert!(session.begins_to_prepare());
        assert_eq!(session.on_prepared(None), Step::Wait);
        assert!(!session.begins_to_prepare());
    }

    #[test]
    fn the_newest_code_starts_when_the_old_one_takes_long_to_stop() {
        let mut session = running(ONE);
        assert_eq!(prepared(&mut session, Some(TWO)), Step::Replace);
        assert_eq!(prepared(&mut session, Some(THREE)), Step::Wait);
        let step = session.on_ended(Ended::Stopped);
        assert_eq!(step, Step::Start(Beginning::Newest));
        assert_eq!(prepared(&mut session, Some(THREE)), Step::Unchanged);
    }

    #[test]
    fn a_finished_job_starts_over_with_new_code_only() {
        let mut session = running(ONE);
        assert_eq!(session.on_ended(Ended::Finished), Step::Wait);
        assert_eq!(prepared(&mut session, None), Step::Wait);
        assert_eq!(prepared(&mut session, Some(ONE)), Step::Unchanged);
        let step = prepared(&mut session, Some(TWO));
        assert_eq!(step, Step::Start(Beginning::Over));

        let mut session = running(ONE);
        assert_eq!(prepared(&mut session, Some(TWO)), Step::Replace);
        let step = session.on_ended(Ended::Finished);
        assert_eq!(step, Step::Start(Beginning::Over));
    }

    #[test]
    fn a_failed_job_continues_after_any_change() {
        let mut session = running(ONE);
        assert_eq!(session.on_ended(Ended::Failed), Step::Wait);
        let step = prepared(&mut session, Some(ONE));
        assert_eq!(step, Step::Start(Beginning::Newest));

        assert_eq!(prepared(&mut session, Some(TWO)), Step::Replace);
        let step = session.on_ended(Ended::Failed);
        assert_eq!(step, Step::Start(Beginning::Newest));
    }

    #[test]
    fn a_job_that_can_not_start_begins_where_it_was_to_begin() {
        let mut session = running(ONE);
        assert_eq!(session.on_ended(Ended::Finished), Step::Wait);
        assert!(!session.continues());
        let over = Step::Start(Beginning::Over);
        assert_eq!(prepared(&mut session, Some(TWO)), over);
        assert_eq!(session.on_ended(Ended::NotStarted), Step::Wait);
        assert_eq!(prepared(&mut session, Some(TWO)), over);
        assert_eq!(session.on_ended(Ended::Failed), Step::Wait);
        assert!(session.continues());
        let step = prepared(&mut session, Some(THREE));
        assert_eq!(step, Step::Start(Beginning::Newest));
    }

    #[test]
    fn nothing_starts_after_a_request_to_leave() {
        let mut session = Session::new();
        assert!(session.begins_to_prepare());
        assert_eq!(session.on_leave(), Step::Leave);
        assert_eq!(session.on_prepared(Some(ONE)), Step::Wait);

        let mut session = running(ONE);
        assert_eq!(prepared(&mut session, Some(TWO)), Step::Replace);
        assert_eq!(session.on_leave(), Step::Wait);
        session.on_changed();
        assert!(!session.begins_to_prepare());
        assert_eq!(session.on_ended(Ended::Stopped), Step::Leave);

        let mut session = running(ONE);
        assert_eq!(session.on_ended(Ended::Finished), Step::Wait);
        assert_eq!(session.on_leave(), Step::Leave);
    }
}
