//! Record path, only while a record is being looked for: where a batch came from. Pure.
//!
//! After a guest has failed on a record, the next attempt replays what came since the last
//! checkpoint with each batch's origin beside it. Batches with an origin are never joined, and what
//! an operator makes of one inherits it. An ordinary attempt has no origins at all.

use std::fmt;
use std::sync::Arc;

use tidegate_connector::source::SourcePlace;
use tidegate_operator::Batch;

use crate::SubtaskId;

/// Which records of which source a batch was made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The source's subtask.
    pub source: SubtaskId,
    /// Where in its input; none if the source can't tell.
    pub place: Option<SourcePlace>,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "source {}", self.source)?;
        match &self.place {
            Some(place) => write!(f, " at {place}"),
            None => Ok(()),
        }
    }
}

/// A batch and where it came from.
#[derive(Clone, Debug, PartialEq)]
pub struct TracedBatch {
    /// The records.
    pub batch: Batch,
    /// Shared by all batches that were made of one.
    pub origin: Arc<Origin>,
}
