//! What an attempt does differently while a record is being looked for. Pure.
//!
//! Made by the [`Quarantine`](super::Quarantine) before the attempt, shared by its chains, and
//! dropped by all of them when the attempt is past what was looked for.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tidegate_operator::Batch;

use crate::SubtaskId;
use crate::source::{CloseLook, SourcePlace};
use crate::stream::Origin;

/// The care that an attempt takes.
#[derive(Debug, Default)]
pub(crate) struct CarePlan {
    /// By the name of the operator.
    pub(crate) operators: BTreeMap<String, OperatorCare>,
    /// What sources give record by record.
    pub(crate) single: Vec<Origin>,
    /// How many records each source subtask has to give before all that was given when the fault
    /// happened has been given again.
    pub(crate) replayed: BTreeMap<SubtaskId, u64>,
}

impl CarePlan {
    /// What a source subtask gives record by record.
    pub(crate) fn look_of(&self, source: &SubtaskId) -> CloseLook {
        let own = self.single.iter().filter(|origin| origin.source == *source);
        let places = own.filter_map(|origin| origin.place.clone());
        CloseLook::new(places.collect::<Vec<SourcePlace>>())
    }
}

/// The care that the subtasks of one operator take.
#[derive(Debug, Default)]
pub(crate) struct OperatorCare {
    /// Records of these origins are given to the guest one at a time; none stands for those without
    /// an origin.
    pub(crate) single: Vec<Option<Origin>>,
    /// Records that do not reach the guest.
    pub(crate) diversions: Vec<Diversion>,
}

impl OperatorCare {
    /// True if the records of a batch are given to the guest one at a time.
    pub(crate) fn is_single(&self, origin: Option<&Origin>) -> bool {
        let diverted = self.diversions.iter().map(|diversion| &diversion.origin);
        let mut all = self.single.iter().chain(diverted);
        all.any(|suspicious| may_be_same(suspicious.as_ref(), origin))
    }
}

/// True if the record of one may be the record of the other.
pub(crate) fn may_be_same(one: Option<&Origin>, other: Option<&Origin>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => one.overlaps(other),
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    }
}

/// A record that goes to the dead-letter port, once in an attempt.
#[derive(Debug)]
pub(crate) struct Diversion {
    /// The finding behind it.
    pub(crate) finding: FindingId,
    /// Only in this subtask, if another one may have a record of its own that looks the same.
    pub(crate) subtask: Option<u32>,
    pub(crate) input: u32,
    pub(crate) record: Arc<Batch>,
    pub(crate) origin: Option<Origin>,
    /// What the guest did or said.
    pub(crate) error: String,
    /// Equal records to let pass first; [`TAKEN`] once it is used. Shared by the subtasks of the
    /// operator, since a record can reach another one of them in each attempt.
    pub(crate) before: AtomicU32,
}

/// See [`Diversion::before`].
const TAKEN: u32 = u32::MAX;

/// A record that was found, numbered in the life of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct FindingId(pub(crate) u64);

/// A diversion that was made, and which record it took: often known better than before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Diverted {
    pub(crate) finding: FindingId,
    pub(crate) origin: Option<Origin>,
    /// Equal records of that origin that came before it.
    pub(crate) before: u32,
}

/// A record on its way to the guest.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Candidate<'a> {
    pub(crate) subtask: u32,
    pub(crate) input: u32,
    pub(crate) record: &'a Batch,
    pub(crate) origin: Option<&'a Origin>,
}

/// The diversion that takes a record, if one does. All that it resembles count it.
pub(crate) fn diversion_of<'a>(
    diversions: &'a [Diversion],
    candidate: Candidate<'_>,
) -> Option<&'a Diversion> {
    let mut taken = None;
    for diversion in diversions {
        if diversion.resembles(candidate) && diversion.count_down(taken.is_some()) {
            taken = Some(diversion);
        }
    }
    taken
}

impl Diversion {
    fn resembles(&self, candidate: Candidate<'_>) -> bool {
        self.subtask.is_none_or(|only| only == candidate.subtask)
            && self.input == candidate.input
            && self.record.keys() == candidate.record.keys()
            && self.record.values() == candidate.record.values()
            // A source may stamp its records anew when it gives them again.
            && (self.origin.is_some() || self.record.timestamps() == candidate.record.timestamps())
            && may_be_same(self.origin.as_ref(), candidate.origin)
    }

    /// True if the record is this one, which it then is in no other place of this attempt.
    fn count_down(&self, is_taken_already: bool) -> bool {
        let next = |before: u32| match before {
            TAKEN => None,
            0 if is_taken_already => None,
            0 => Some(TAKEN),
            more => Some(more - 1),
        };
        let order = Ordering::Relaxed;
        self.before.fetch_update(order, order, next) == Ok(0)
    }
}
