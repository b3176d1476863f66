//! The parts that a driver takes over from the attempt before, and those that it hands on.

use std::sync::Arc;

use tidegate_checkpoint::{CheckpointStore, Origin};
use tokio::time::Instant;

use crate::ChainId;
use crate::control::deploy::Deployment;
use crate::control::discovery::Discovery;
use crate::drill::Drills;
use crate::executor::Executor;
use crate::ids::RunIdentity;
use crate::isolation::IsolationWatch;
use crate::job::{Job, JobCommand};
use crate::observe::AttemptMetrics;
use crate::protocol::Coordinator;

/// The parts that a driver starts with.
pub(crate) struct DriverStart {
    pub(crate) job: Arc<Job>,
    pub(crate) store: Arc<dyn CheckpointStore>,
    pub(crate) executor: Arc<dyn Executor>,
    pub(crate) coordinator: Coordinator,
    pub(crate) identity: RunIdentity,
    pub(crate) origin: Option<Origin>,
    pub(crate) source_chains: Vec<ChainId>,
    /// The subtasks of each chain, for messages.
    pub(crate) descriptions: Vec<String>,
    pub(crate) metrics: AttemptMetrics,
    pub(crate) isolation: IsolationWatch,
    /// The time when the process started the job: the zero of all times here.
    pub(crate) started: Instant,
    pub(crate) records_before: u64,
    /// The drills, which continue from one attempt to the next.
    pub(crate) drills: Drills,
    pub(crate) discovery: Discovery,
    /// The commands that earlier attempts have not carried out.
    pub(crate) pending: Vec<JobCommand>,
}

/// The parts of a driver that outlive its attempt.
pub(crate) struct DriverEnd {
    /// The chains, for shut-down.
    pub(crate) deployment: Deployment,
    pub(crate) drills: Drills,
    pub(crate) isolation: IsolationWatch,
    /// The commands that the attempt has not carried out.
    pub(crate) pending: Vec<JobCommand>,
}
