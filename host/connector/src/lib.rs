//! What the runtime asks of sources and sinks, and what the job file must know of them. Traits and
//! the types in their signatures, no connector: those are in `tidegate-connectors`, or in a crate
//! of one's own.

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
