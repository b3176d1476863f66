//! Input that a source can't turn into a record, such as a line that is not JSON. Pure.

use super::SourcePlace;

/// A piece of input that is not a record. The job sends it to the dead-letter port of the source if
/// a node reads the port, and fails otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidRecord {
    /// The place of the piece in the input.
    pub place: SourcePlace,
    /// The reason, as text for people: "it is not JSON: expected value".
    pub reason: String,
    /// The bytes of the piece.
    pub value: Vec<u8>,
}
