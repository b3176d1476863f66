//! The callers that wait for a checkpoint, and the replies to them.
//!
//! A request belongs to the first checkpoint that is triggered after the request came. So records
//! that were processed before the request are in that checkpoint. If the attempt fails before it is
//! complete, the request waits for the next attempt.

use std::collections::BTreeSet;
use std::path::PathBuf;

use tokio::sync::oneshot;

use super::publication::Exported;
use crate::CheckpointId;
use crate::job::{CommandError, JobCommand};

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
    drain: bool,
    savepoint: Option<PathBuf>,
    reply: StopReply,
    /// True if the request came before the last checkpoint was committed.
    is_in_last: bool,
    /// The result of its savepoint.
    written: Result<Option<PathBuf>, CommandError>,
}

/// All callers that wait.
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

    pub(crate) fn await_stop(&mut self, drain: bool, savepoint: Option<PathBuf>, reply: StopReply) {
        // A caller that asks while the last checkpoint is already being published gets no
        // savepoint.
        let written = match savepoint {
            None => Ok(None),
            Some(_) => Err(CommandError::NotRunning {
                state: "ending".to_owned(),
            }),
        };
        self.stops.push(Stop {
            drain,
            savepoint,
            reply,
            is_in_last: false,
            written,
        });
    }

    /// Returns true if a caller waits for the job to stop.
    pub(crate) fn is_stopping(&self) -> bool {
        !self.stops.is_empty()
    }

    /// Called when a checkpoint is triggered, for the first time or again for chains that ended.
    pub(crate) fn on_triggered(&mut self, checkpoint: CheckpointId) {
        if self.in_flight_for != Some(checkpoint) {
            self.in_flight_for = Some(checkpoint);
            self.in_flight = std::mem::take(&mut self.queued);
        }
    }

    /// Returns the directories to export a committed checkpoint to.
    pub(crate) fn exports(&mut self, is_last: bool) -> BTreeSet<PathBuf> {
        let savepoints = self.in_flight.iter().filter_map(|waiting| match waiting {
            Waiting::Checkpoint(_) => None,
            Waiting::Savepoint(directory, _) => Some(directory.clone()),
        });
        let mut directories: BTreeSet<PathBuf> = savepoints.collect();
        for stop in self.stops.iter_mut().filter(|_| is_last) {
            directories.extend(stop.savepoint.clone());
            stop.is_in_last = true;
        }
        directories
    }

    /// Replies once a checkpoint is published; `exported` are the results for [`Self::exports`].
    pub(crate) fn on_published(&mut self, checkpoint: CheckpointId, exported: &Exported) {
        // A caller that has gone away meanwhile needs no answer.
        for waiting in self.in_flight.drain(..) {
            match waiting {
                Waiting::Checkpoint(reply) => drop(reply.send(Ok(checkpoint))),
                Waiting::Savepoint(directory, reply) => {
                    drop(reply.send(exported[&directory].clone()));
                }
            }
        }
        for stop in self.stops.iter_mut().filter(|stop| stop.is_in_last) {
            if let Some(directory) = &stop.savepoint {
                stop.written = exported[directory].clone().map(Some);
            }
        }
    }

    /// Replies when a checkpoint failed. Callers that stop the job keep waiting for the next one.
    pub(crate) fn on_abandoned(&mut self, checkpoint: CheckpointId, reason: &str) {
        let error = CommandError::CheckpointFailed {
            checkpoint,
            reason: reason.to_owned(),
        };
        fail(std::mem::take(&mut self.in_flight), &error);
    }

    /// Replies when the job is done.
    pub(crate) fn on_done(&mut self) {
        for stop in self.stops.drain(..) {
            drop(stop.reply.send(stop.written));
        }
    }

    /// Returns the commands that the attempt has not carried out, for the next attempt.
    pub(crate) fn take_commands(&mut self) -> Vec<JobCommand> {
        let waiting = self.in_flight.drain(..).chain(self.queued.drain(..));
        let waiting = waiting.map(|waiting| match waiting {
            Waiting::Checkpoint(reply) => JobCommand::Checkpoint { reply },
            Waiting::Savepoint(directory, reply) => JobCommand::Savepoint { directory, reply },
        });
        let stops = self.stops.drain(..).map(|stop| JobCommand::Stop {
            drain: stop.drain,
            savepoint: stop.savepoint,
            reply: stop.reply,
        });
        waiting.chain(stops).collect()
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
