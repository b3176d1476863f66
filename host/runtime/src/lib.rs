//! Job graphs, channels, barriers, checkpoints and recovery.

pub mod channel;
pub mod checkpoint;
pub mod config;
mod connector_error;
mod cost;
mod deploy;
pub mod drill;
mod error;
pub mod executor;
pub mod file_system;
pub mod graph;
mod ids;
mod job;
mod metrics;
mod recovery;
mod restore;
mod room;
pub mod sink;
pub mod source;
mod start;
pub mod status;
pub mod stream;
mod supervisor;
pub mod task;

pub use connector_error::ConnectorError;
pub use cost::JobCost;
pub use error::{IncompatibleJob, JobError, JobErrorKind, UnknownOperator};
pub use ids::{ChainId, ChannelIndex, CheckpointId, Lineage, SubtaskId};
pub use job::{
    CommandError, Job, JobCommand, JobControl, JobHandle, OperatorPart, Outcome, RunOptions,
    StartFrom,
};
pub use recovery::{RecordFault, redistribute};
pub use room::{NoRoom, check_room};
pub use start::prepare;
pub use supervisor::{run, run_on};
