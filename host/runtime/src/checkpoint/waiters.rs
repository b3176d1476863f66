//! Who waits for which checkpoint, and what they are told.
//!
//! A request belongs to the first checkpoint that is triggered after it came, so that what was
//! processed before the request is in it.

use std::path::PathBuf;

use tokio::sync::oneshot;

use crate::CheckpointId;
use crate::job::CommandError;

type CheckpointReply = oneshot::Sender<Result<CheckpointId, CommandError>>;
type SavepointReply = oneshot::Sender<Result<PathBuf, CommandError>>;
type StopReply = oneshot::Sender<Result<Option<PathBuf>, CommandError>>;

#[derive(Debug)]
enum Waiting {
    Checkpoint(CheckpointReply),
    Savepoint(PathBuf, SavepointReply),
}

#[derive(Debug)]
struct Stop {
    savepoint: Option<PathBuf>,
    reply: StopReply,
    /// What came of its savepoint.
    written: Result<Option<PathBuf>, CommandError>,
}

/// Everyone who waits.
#[derive(Debug, Default)]
pub(crate) struct Waiters {
    queued: Vec<Waiting>,
    in_flight: Vec<Waiting>,
    in_flight_for: Option<CheckpointId>,
    stops: Vec<Stop>,
}

impl Waiters {
    pub(crate) fn await_checkpoint(&mut self, reply: CheckpointReply) {
        self.queued.push(Waiting::Checkpoint(reply));
    }

    pub(crate) fn await_savepoint(&mut self, directory: PathBuf, reply: SavepointReply) {
        self.queued.push(Waiting::Savepoint(directory, reply));
    }

    pub(crate) fn await_stop(&mut self, savepoint: Option<PathBuf>, reply: StopReply) {
        self.stops.push(Stop {
            savepoint,
            reply,
            written: Ok(None),
        });
    }

    /// True if someone waits for the job to stop.
    pub(crate) fn is_stopping(&self) -> bool {
        !self.stops.is_empty()
    }

    /// A checkpoint was triggered, for the first time or once more for chains that ended.
    pub(crate) fn on_triggered(&mut self, checkpoint: CheckpointId) {
        if self.in_flight_for != Some(checkpoint) {
            self.in_flight_for = Some(checkpoint);
            self.in_flight = std::mem::take(&mut self.queued);
        }
    }

    /// The directories to export a committed checkpoint to.
    pub(crate) fn exports(&self, is_last: bool) -> Vec<PathBuf> {
        let savepoints = self.in_flight.iter().filter_map(|waiting| match waiting {
            Waiting::Checkpoint(_) => None,
            Waiting::Savepoint(directory, _) => Some(directory),
        });
        let stops = self.stops.iter().filter(|_| is_last);
        let stops = stops.filter_map(|stop| stop.savepoint.as_ref());
        savepoints.chain(stops).cloned().collect()
    }

    /// A checkpoint is complete and published; `exported` are the results for [`Self::exports`],
    /// in that order.
    pub(crate) fn on_published(
        &mut self,
        checkpoint: CheckpointId,
        exported: Vec<Result<PathBuf, CommandError>>,
    ) {
        let mut exported = exported.into_iter();
        let missing = "every export has a result";
        // Whoever has gone away meanwhile needs no answer.
        for waiting in self.in_flight.drain(..) {
            match waiting {
                Waiting::Checkpoint(reply) => drop(reply.send(Ok(checkpoint))),
                Waiting::Savepoint(_, reply) => {
                    drop(reply.send(exported.next().expect(missing)));
                }
            }
        }
        // What is left belongs to those who stop, if it was the last checkpoint.
        let stops = self.stops.iter_mut().filter(|stop| stop.savepoint.is_some());
        for (stop, result) in stops.zip(exported) {
            stop.written = result.map(Some);
        }
    }

    /// A checkpoint failed. Those who stop go on waiting: there will be another.
    pub(crate) fn on_abandoned(&mut self, checkpoint: CheckpointId, reason: &str) {
        let error = CommandError::CheckpointFailed {
            checkpoint,
            reason: reason.to_owned(),
        };
        fail(std::mem::take(&mut self.in_flight), &error);
    }

    /// The job is done.
    pub(crate) fn on_done(&mut self) {
        for stop in self.stops.drain(..) {
            drop(stop.reply.send(stop.written));
        }
    }

    /// The attempt is over without that.
    pub(crate) fn on_attempt_over(&mut self, state: &str) {
        let state = state.to_owned();
        let error = CommandError::NotRunning { state };
        fail(std::mem::take(&mut self.in_flight), &error);
        fail(std::mem::take(&mut self.queued), &error);
        for stop in self.stops.drain(..) {
            drop(stop.reply.send(Err(error.clone())));
        }
    }
}

fn fail(waiting: Vec<Waiting>, error: &CommandError) {
    for waiting in waiting {
        match waiting {
            Waiting::Checkpoint(reply) => drop(reply.send(Err(error.clone()))),
            Waiting::Savepoint(_, reply) => drop(reply.send(Err(error.clone()))),
        }
    }
}
