//! A job, ready to run, and the outside's access to it while it runs.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tidegate_checkpoint::{Edge, JobGraph, NodeKind};
use tidegate_connector::sink::SinkConnector;
use tidegate_connector::source::{InputMove, SourceConnector};
use tidegate_key_groups::KeyGroups;
use tidegate_operator::{GuestFault, OperatorContext, OperatorDescription, shown};
use tokio::sync::{mpsc, oneshot, watch};

use crate::chain::OperatorFactory;
use crate::config::limits::{CALLS_OF_A_REPLACEMENT, COMMAND_CAPACITY};
use crate::config::{JobSettings, RecordPolicies, RecycleAt};
use crate::observe::JobStatus;
use crate::recovery::AllowedChanges;
use crate::{CheckpointId, Lineage, SubtaskId};

/// An operator's code and the `config` of its instances.
#[derive(Clone)]
pub struct OperatorPart {
    /// Opens instances.
    pub factory: Arc<dyn OperatorFactory>,
    /// The operator's `config` table of the job file, as JSON.
    pub config: String,
    /// The policies for records that it can't process.
    pub policies: RecordPolicies,
    /// The replacement of an instance because of its memory; needs a factory that knows its limit.
    pub recycle_at: RecycleAt,
}

/// A job graph with the parts of its nodes, by node name.
#[derive(Clone)]
pub struct Job {
    /// The graph that the user asked for.
    pub graph: JobGraph,
    /// The connector of each source of the graph.
    pub sources: BTreeMap<String, Arc<dyn SourceConnector>>,
    /// The part of each operator of the graph.
    pub operators: BTreeMap<String, OperatorPart>,
    /// The connector of each sink of the graph.
    pub sinks: BTreeMap<String, Arc<dyn SinkConnector>>,
    /// Intervals, limits and policies.
    pub settings: JobSettings,
}

impl Job {
    /// Returns the time that the parts of an attempt that is over may take to return.
    pub(crate) fn shut_down_within(&self) -> Duration {
        let timeouts = self.operators.values();
        let timeouts = timeouts.filter_map(|part| part.factory.call_timeout());
        let longest = timeouts.max().unwrap_or_default();
        let calls = longest.saturating_mul(CALLS_OF_A_REPLACEMENT);
        calls.saturating_add(self.settings.shut_down_margin)
    }

    /// Opens the first instance of every operator and drops it: a guest can reject its `config`.
    /// Returns the faults, at most one for each operator.
    #[must_use]
    pub fn open_operators(&self) -> Vec<GuestFault> {
        let fault = |(name, part): (&String, &OperatorPart)| {
            let first = SubtaskId {
                operator: name.clone(),
                index: 0,
            };
            let context = self.operator_context(&first, 0);
            part.factory.open(&context).err()
        };
        self.operators.iter().filter_map(fault).collect()
    }

    /// Returns the context that the guest of `subtask` is opened with.
    pub(crate) fn operator_context(&self, subtask: &SubtaskId, hash_seed: u64) -> OperatorContext {
        let graph = &self.graph;
        let node = graph.node(&subtask.operator);
        let node = node.expect("a subtask belongs to a node");
        assert_eq!(
            node.kind,
            NodeKind::Operator,
            "only operators have a context"
        );
        let key_groups = KeyGroups::new(graph.max_parallelism(), node.parallelism);
        let operator = OperatorDescription {
            job: graph.job().to_owned(),
            operator: node.name.clone(),
            inputs: graph.inputs_of(&node.name).map(Edge::origin).collect(),
            outputs: node.outputs.clone(),
            config: self.operators[&node.name].config.clone(),
        };
        OperatorContext::of_subtask(operator, key_groups, subtask.index, hash_seed)
    }
}

/// The start of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum StartFrom {
    /// At the newest complete checkpoint of the checkpoint directory, if there is one.
    #[default]
    Newest,
    /// Afresh: existing checkpoints are removed once nothing else speaks against a fresh start.
    Fresh,
    /// At this savepoint or checkpoint: a savepoint's directory, a checkpoint directory (its
    /// newest) or a manifest. If the checkpoint directory already holds checkpoints of a run that
    /// started from it, the run continues from the newest of those.
    Path(PathBuf),
}

/// The options of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunOptions {
    /// The start of the run.
    pub start: StartFrom,
    /// The changes of the job, since the checkpoint, that the user accepts.
    pub allowed: AllowedChanges,
    /// Input that was moved since the checkpoint.
    pub moved_input: Vec<InputMove>,
    /// True if a start from an older checkpoint removes the output of sinks that is newer.
    pub discard_newer_output: bool,
    /// The lineage of a life that begins with this run, for simulations; otherwise it is drawn
    /// at random. Two lives of a job must never have the same one.
    pub lineage: Option<Lineage>,
}

/// The end of a run that did not fail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All sources ended and everything is published.
    Finished,
    /// The job had finished in an earlier run; nothing was done.
    AlreadyFinished,
    /// Stopped as asked, after this checkpoint; running it again continues.
    Stopped {
        /// The last checkpoint.
        checkpoint: CheckpointId,
    },
    /// Ended without a last checkpoint, as asked.
    Cancelled,
}

/// A command to a running job.
#[derive(Debug)]
pub enum JobCommand {
    /// Take a checkpoint now.
    Checkpoint {
        /// Receives the result when the checkpoint is complete.
        reply: oneshot::Sender<Result<CheckpointId, CommandError>>,
    },
    /// Take a savepoint into a new directory inside `directory`, which is created if missing.
    Savepoint {
        /// An absolute path.
        directory: PathBuf,
        /// Receives the savepoint's own directory when it is complete.
        reply: oneshot::Sender<Result<PathBuf, CommandError>>,
    },
    /// Take a last checkpoint, publish and end.
    Stop {
        /// True to end event time first: sources end, windows fire, operators `finish`.
        drain: bool,
        /// The parent of a savepoint's new directory; `None` for no savepoint.
        savepoint: Option<PathBuf>,
        /// Receives the end of the job: the savepoint's directory if one was requested.
        reply: oneshot::Sender<Result<Option<PathBuf>, CommandError>>,
    },
    /// End without a checkpoint.
    Cancel,
}

impl JobCommand {
    /// Returns true if the caller has gone away and needs only the answer. A job still stops.
    pub(crate) fn is_abandoned(&self) -> bool {
        match self {
            Self::Checkpoint { reply } => reply.is_closed(),
            Self::Savepoint { reply, .. } => reply.is_closed(),
            Self::Stop { .. } | Self::Cancel => false,
        }
    }
}

/// The reason why a command was not carried out. The job continues, unless the variant says
/// otherwise.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum CommandError {
    /// The checkpoint of the command failed or was abandoned.
    #[error("checkpoint {checkpoint} failed: {reason}")]
    CheckpointFailed {
        /// The id of the checkpoint.
        checkpoint: CheckpointId,
        /// The reason for the failure.
        reason: String,
    },
    /// The checkpoint is complete but could not be copied to the savepoint directory. A job that
    /// was asked to stop has stopped all the same.
    #[error("the savepoint could not be written to {}: {reason}", shown(directory))]
    SavepointNotWritten {
        /// The directory of the savepoint.
        directory: PathBuf,
        /// The reason for the failure.
        reason: String,
    },
    /// The job has ended or is ending, or too many commands wait for its restart.
    #[error("the job is {state}, not running")]
    NotRunning {
        /// The state it is in.
        state: String,
    },
}

/// A handle to a running job, for the outside. Cheap to clone.
#[derive(Clone, Debug)]
pub struct JobHandle {
    commands: mpsc::Sender<JobCommand>,
    status: watch::Receiver<JobStatus>,
}

impl JobHandle {
    /// Creates a handle, and the control that [`crate::run`] takes.
    #[must_use]
    pub fn new(job: &str) -> (Self, JobControl) {
        let (commands, receiver) = mpsc::channel(COMMAND_CAPACITY);
        let (status_sender, status) = watch::channel(JobStatus::new(job));
        let control = JobControl {
            commands: receiver,
            status: status_sender,
        };
        (Self { commands, status }, control)
    }

    /// Sends a command. Cancel-safe.
    ///
    /// # Errors
    ///
    /// [`CommandError::NotRunning`] if the job has ended.
    pub async fn send(&self, command: JobCommand) -> Result<(), CommandError> {
        let ended = |_| CommandError::NotRunning {
            state: self.status.borrow().state.to_string(),
        };
        self.commands.send(command).await.map_err(ended)
    }

    /// Returns the last status of the job; refreshed several times a second.
    #[must_use]
    pub fn status(&self) -> JobStatus {
        self.status.borrow().clone()
    }

    /// Returns a receiver that wakes on each change of the status.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<JobStatus> {
        self.status.clone()
    }
}

/// The job's end of a [`JobHandle`].
#[derive(Debug)]
pub struct JobControl {
    pub(crate) commands: mpsc::Receiver<JobCommand>,
    pub(crate) status: watch::Sender<JobStatus>,
}
