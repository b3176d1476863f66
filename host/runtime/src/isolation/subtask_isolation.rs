//! Decides which records of one subtask go to its dead-letter port. Pure.
//!
//! After each fault the chain restores the instance as it was before the failed call. A record
//! becomes a dead letter only if the fault returns after that: the chain repeats a failed batch
//! record by record, and a record that failed alone once more.

/// Decides the steps of isolation in one subtask of an operator.
#[derive(Debug)]
pub(crate) struct SubtaskIsolation {
    unexplained: Unexplained,
    /// Dead letters since the last record that the guest processed.
    dead_letters_in_a_row: u32,
    most_in_a_row: u32,
}

/// A fault without a dead letter so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unexplained {
    Nothing,
    /// The fault of the batch at hand.
    Batch,
    /// The fault of the record at hand.
    Record,
}

/// The next step when the guest has failed on a single record.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IsolationStep {
    /// Restore the instance and process the record once more.
    Retry,
    /// Restore the instance and send the record to the dead-letter port.
    DeadLetter,
    /// The operator fails on everything: end the job.
    GiveUp,
}

impl SubtaskIsolation {
    pub(crate) fn new(most_in_a_row: u32) -> Self {
        Self {
            unexplained: Unexplained::Nothing,
            dead_letters_in_a_row: 0,
            most_in_a_row,
        }
    }

    /// Called when the guest failed on a batch of several records, which it now gets one at a time.
    pub(crate) fn on_batch_failed(&mut self) {
        self.unexplained = Unexplained::Batch;
    }

    /// Called when the guest failed on a record that it got alone.
    pub(crate) fn on_record_failed(&mut self) -> IsolationStep {
        match self.unexplained {
            Unexplained::Nothing => {
                self.unexplained = Unexplained::Record;
                return IsolationStep::Retry;
            }
            Unexplained::Batch | Unexplained::Record => self.unexplained = Unexplained::Nothing,
        }
        if self.dead_letters_in_a_row >= self.most_in_a_row {
            return IsolationStep::GiveUp;
        }
        self.dead_letters_in_a_row += 1;
        IsolationStep::DeadLetter
    }

    /// Called when the guest processed records.
    pub(crate) fn on_processed(&mut self) {
        self.dead_letters_in_a_row = 0;
        if self.unexplained == Unexplained::Record {
            self.unexplained = Unexplained::Nothing;
        }
    }

    /// Called when all records of the batch were processed or became dead letters.
    pub(crate) fn on_batch_done(&mut self) {
        self.unexplained = Unexplained::Nothing;
    }
}

#[cfg(test)]
mod tests {
    use super::IsolationStep::{DeadLetter, GiveUp, Retry};
    use super::*;

    #[test]
    fn a_record_that_fails_alone_is_given_once_more_before_it_becomes_a_dead_letter() {
        let mut isolation = SubtaskIsolation::new(10);
        assert_eq!(isolation.on_record_failed(), Retry);
        assert_eq!(isolation.on_record_failed(), DeadLetter);
        assert_eq!(isolation.on_record_failed(), Retry, "the next record");
    }

    #[test]
    fn a_fault_that_does_not_return_costs_no_record() {
        let mut isolation = SubtaskIsolation::new(10);
        assert_eq!(isolation.on_record_failed(), Retry);
        isolation.on_processed();
        assert_eq!(isolation.on_record_failed(), Retry, "another fault");
    }

    #[test]
    fn of_a_batch_that_failed_the_first_record_that_fails_alone_becomes_a_dead_letter() {
        let mut isolation = SubtaskIsolation::new(10);
        isolation.on_batch_failed();
        isolation.on_processed();
        assert_eq!(isolation.on_record_failed(), DeadLetter);
        assert_eq!(isolation.on_record_failed(), Retry, "a second one");
        assert_eq!(isolation.on_record_failed(), DeadLetter);
        isolation.on_batch_failed();
        isolation.on_processed();
        isolation.on_batch_done();
        assert_eq!(isolation.on_record_failed(), Retry, "of the next batch");
    }

    #[test]
    fn a_guest_that_fails_on_everything_is_given_up_and_one_good_record_starts_the_count_again() {
        let mut isolation = SubtaskIsolation::new(2);
        let fail = |isolation: &mut SubtaskIsolation| {
            isolation.on_batch_failed();
            isolation.on_record_failed()
        };
        assert_eq!(
            [0; 3].map(|_| fail(&mut isolation)),
            [DeadLetter, DeadLetter, GiveUp]
        );
        isolation.on_processed();
        assert_eq!(fail(&mut isolation), DeadLetter);
    }
}
