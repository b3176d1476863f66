//! The interface between the runtime, the job file and connectors: the traits of sources and sinks,
//! and the types in their signatures. The connectors themselves are in `tidegate-connectors`, or in
//! a user's own crate.

mod context;
pub mod duration;
mod error;
mod ids;
mod kind;
mod list;
pub mod sink;
pub mod source;

pub use context::ConnectContext;
pub use duration::DurationText;
pub use error::ConnectorError;
pub use ids::{CheckpointId, HashSeedUse, LARGEST_NUMBER, Lineage, SubtaskId};
pub use kind::{
    ConnectorKind, SinkKind, SinkOptions, SourceKind, SourceOptions, UnconnectedSink,
    UnconnectedSource,
};
pub use list::{ConnectorList, DuplicateConnector};
