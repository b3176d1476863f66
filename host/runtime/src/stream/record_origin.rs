//! Record path, only while records are isolated: the origin of a batch. Pure.
//!
//! After a guest has failed on a record, the next attempt replays all records since the last
//! checkpoint with each batch's origin beside it. Batches with an origin are never joined, and the
//! output of an operator inherits it. An ordinary attempt has no origins at all.

use std::fmt;
use std::sync::Arc;

use tidegate_connector::source::SourcePlace;
use tidegate_operator::Batch;

use crate::SubtaskId;

/// The records of a source from which a batch was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordOrigin {
    /// The source's subtask.
    pub source: SubtaskId,
    /// Their place in its input; `None` if the source does not know.
    pub place: Option<SourcePlace>,
}

impl fmt::Display for RecordOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "source {}", self.source)?;
        match &self.place {
            Some(place) => write!(f, " at {place}"),
            None => Ok(()),
        }
    }
}

/// A batch and its origin.
#[derive(Clone, Debug, PartialEq)]
pub struct BatchWithOrigin {
    /// The records.
    pub batch: Batch,
    /// The origin, shared by all batches that were made from one batch of the source.
    pub origin: Arc<RecordOrigin>,
}
