//! Job graphs, channels, barriers, checkpoints and recovery.

pub mod chain;
pub mod channel;
pub mod config;
mod control;
mod cost;
pub mod drill;
mod error;
pub mod executor;
pub mod graph;
mod ids;
mod isolation;
mod job;
pub mod observe;
pub mod protocol;
mod recovery;
mod room;
pub mod stream;
mod wall_clock;

pub use control::{check_continues, newer_output, prepare, run, run_on};
pub use cost::JobCost;
pub use error::{JobError, JobErrorKind};
pub use ids::{ChainId, ChannelIndex};
pub use isolation::RecordFault;
pub use job::{
    CommandError, Job, JobCommand, JobControl, JobHandle, OperatorPart, Outcome, RunOptions,
    StartFrom,
};
pub use recovery::{AllowedChanges, IncompatibleJob, UnknownOperator, UnknownSource};
pub use room::{NoRoom, check_room};
pub use tidegate_connector::{CheckpointId, ConnectorError, Lineage, SubtaskId};
