//! Job graphs, channels, barriers, checkpoints and recovery.

mod causes;
pub mod chain;
pub mod channel;
pub mod checkpoint;
pub mod config;
mod connector_error;
mod control;
mod cost;
pub mod drill;
mod error;
pub mod executor;
pub mod file_system;
pub mod graph;
mod ids;
mod isolation;
mod job;
pub mod observe;
pub mod protocol;
mod recovery;
mod room;
pub mod sink;
pub mod source;
pub mod stream;
mod wall_clock;

pub use connector_error::ConnectorError;
pub use control::{prepare, run, run_on};
pub use cost::JobCost;
pub use error::{JobError, JobErrorKind};
pub use ids::{ChainId, ChannelIndex, CheckpointId, Lineage, SubtaskId};
pub use isolation::RecordFault;
pub use job::{
    CommandError, Job, JobCommand, JobControl, JobHandle, OperatorPart, Outcome, RunOptions,
    StartFrom,
};
pub use recovery::{IncompatibleJob, UnknownOperator, redistribute};
pub use room::{NoRoom, check_room};
