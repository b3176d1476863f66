//! What the runtime asks of sources and sinks. Traits and the types in their signatures, no
//! connector: those are in `tidegate-connectors`, or in a crate of one's own.

mod error;
mod ids;
pub mod sink;
pub mod source;

pub use error::ConnectorError;
pub use ids::{CheckpointId, HashSeedUse, LARGEST_NUMBER, Lineage, SubtaskId};
