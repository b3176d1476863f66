//! Record path, only while a record is being looked for: how a chain calls its operators then.
//!
//! What comes in has its origin with it, and what an operator makes of a batch inherits it. Where
//! the record may be, its operator gets one record at a time, so that a fault has a record; and a
//! record that was found before goes to the dead-letter port in place of the guest. An ordinary
//! attempt comes here only to tell what it knows of a fault.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;
use std::time::Instant;

use tidegate_operator::{Batch, Emission, GuestFault};

use super::pending::Pending;
use super::{OperatorChain, Role};
use crate::recovery::{Candidate, CarePlan, Diverted, RecordFault, Trace, diversion_of};
use crate::stream::Origin;
use crate::task::dead_letter::{Refusal, dead_letter};
use crate::task::guest::Guest;
use crate::{JobError, SubtaskId};

/// What comes of records that are processed one by one is gathered up to so many bytes.
const GATHERED_BYTES: usize = 1 << 20;

/// The care of one chain.
#[derive(Debug)]
pub(crate) struct Care {
    plan: Arc<CarePlan>,
    /// By link.
    links: Vec<LinkCare>,
    /// Diversions that nobody was told about yet.
    diverted: Vec<Diverted>,
}

#[derive(Debug, Default)]
struct LinkCare {
    /// A record was diverted: another one may follow.
    has_diverted: bool,
    seen: Seen,
}

/// How often equal records came: of the origin at hand, and those without one.
#[derive(Debug, Default)]
struct Seen {
    origin: Option<Arc<Origin>>,
    of_origin: HashMap<u64, u32>,
    without_origin: HashMap<u64, u32>,
}

impl Care {
    pub(crate) fn new(plan: Arc<CarePlan>, links: usize) -> Self {
        Self {
            plan,
            links: (0..links).map(|_| LinkCare::default()).collect(),
            diverted: Vec::new(),
        }
    }
}

impl Seen {
    /// Counts a record; how many equal ones came before it.
    fn count(&mut self, origin: Option<&Arc<Origin>>, input: u32, record: &Batch) -> u32 {
        let mut hasher = DefaultHasher::new();
        let counts = match origin {
            None => {
                record.timestamps().hash(&mut hasher);
                &mut self.without_origin
            }
            Some(origin) => {
                if self.origin.as_ref() != Some(origin) {
                    self.origin = Some(Arc::clone(origin));
                    self.of_origin.clear();
                }
                &mut self.of_origin
            }
        };
        input.hash(&mut hasher);
        record.keys().data().hash(&mut hasher);
        record.values().data().hash(&mut hasher);
        let count = counts.entry(hasher.finish()).or_default();
        *count = count.saturating_add(1);
        *count - 1
    }
}

/// What is known of a fault in an ordinary attempt.
pub(super) fn untraced_fault(
    fault: GuestFault,
    input: u32,
    records: usize,
    record: Option<Batch>,
) -> JobError {
    JobError::Record(Box::new(RecordFault {
        fault: Box::new(fault),
        input,
        records,
        record,
        trace: Trace::Off,
    }))
}

/// A batch on its way to a careful operator.
struct Arrival {
    subtask: SubtaskId,
    /// The reserved port, behind the declared ones.
    dead_letter_port: u32,
    input: u32,
    origin: Option<Arc<Origin>>,
}

/// The records of a batch that an operator gets one by one.
pub(super) struct Singly {
    at: usize,
    arrival: Arrival,
    batch: Batch,
    /// The next one.
    row: usize,
    /// What came of those before it and was not sent yet.
    emissions: Vec<Emission>,
    /// Its bytes.
    gathered: usize,
}

impl OperatorChain {
    /// Takes care as a plan says, from the first record on.
    pub(crate) fn careful(mut self, plan: Arc<CarePlan>) -> Self {
        self.care = Some(Box::new(Care::new(plan, self.links.len())));
        self
    }

    /// The plan, while care is taken.
    pub(crate) fn care_plan(&self) -> Option<&Arc<CarePlan>> {
        self.care.as_ref().map(|care| &care.plan)
    }

    /// What was looked for lies behind: from now on this is an ordinary attempt.
    pub(crate) fn end_care(&mut self) {
        self.care = None;
        self.outbox.set_origin(None);
    }

    /// The diversions since this was asked before.
    pub(crate) fn take_diverted(&mut self) -> Vec<Diverted> {
        let care = self.care.as_mut();
        care.map_or(Vec::new(), |care| std::mem::take(&mut care.diverted))
    }

    /// As `process` of the operator, with care. Metrics of what came in are counted already.
    pub(super) fn process_carefully(
        &mut self,
        at: usize,
        input: u32,
        batch: Batch,
    ) -> Result<(), JobError> {
        let link = &self.links[at];
        let arrival = Arrival {
            subtask: link.subtask.clone(),
            dead_letter_port: link.ports,
            input,
            origin: self.outbox.origin().cloned(),
        };
        if batch.len() == 1 || self.is_single(at, &arrival) {
            return self.process_next(Box::new(Singly {
                at,
                arrival,
                batch,
                row: 0,
                emissions: Vec::new(),
                gathered: 0,
            }));
        }
        let started = Instant::now();
        let records = batch.len();
        let processed = self.guest(at).instance.process(input, batch);
        let emissions = processed.map_err(|fault| {
            let record = self.guest(at).instance.take_failed_record();
            let trace = Trace::On(arrival.origin.clone());
            record_fault(fault, &arrival, record, trace, records)
        })?;
        self.links[at].metrics.count_busy(started.elapsed());
        self.look_at_memory(at)?;
        self.emit_all(at, emissions);
        Ok(())
    }

    /// The next record; the others stay pending.
    pub(super) fn process_next(&mut self, mut singly: Box<Singly>) -> Result<(), JobError> {
        let (at, row) = (singly.at, singly.row);
        if row == singly.batch.len() {
            return Ok(());
        }
        let started = Instant::now();
        let mut record = Batch::default();
        let (keys, values) = (singly.batch.keys(), singly.batch.values());
        record.push(
            singly.batch.timestamps()[row],
            keys.row(row),
            values.row(row),
        );
        let given = self.process_single(at, &singly.arrival, record)?;
        for Emission { port, batch } in given {
            singly.gathered += batch.byte_size();
            append(&mut singly.emissions, port, batch);
        }
        singly.row += 1;
        self.links[at].metrics.count_busy(started.elapsed());
        self.look_at_memory(at)?;
        let is_last = singly.row == singly.batch.len();
        let mut emissions = Vec::new();
        if is_last || singly.gathered >= GATHERED_BYTES {
            emissions = std::mem::take(&mut singly.emissions);
            singly.gathered = 0;
        }
        if !is_last {
            self.pending.push(Pending::Singly(singly));
        }
        self.emit_all(at, emissions);
        Ok(())
    }

    fn guest(&mut self, at: usize) -> &mut Guest {
        match &mut self.links[at].role {
            Role::Operator(guest) => guest,
            Role::Source | Role::Sink(_) => unreachable!("only operators are called"),
        }
    }

    /// True if the guest gets the records of this batch one at a time.
    fn is_single(&self, at: usize, arrival: &Arrival) -> bool {
        let Some(care) = &self.care else {
            return false;
        };
        let operator = care.plan.operators.get(&arrival.subtask.operator);
        let is_suspicious = operator.is_some_and(|op| op.is_single(arrival.origin.as_deref()));
        is_suspicious || care.links[at].has_diverted
    }

    /// What comes of one record: of the guest, or the dead letter that goes in its place.
    fn process_single(
        &mut self,
        at: usize,
        arrival: &Arrival,
        record: Batch,
    ) -> Result<Vec<Emission>, JobError> {
        let before = self.count(at, arrival, &record);
        if let Some(batch) = self.divert(at, arrival, &record, before) {
            let port = arrival.dead_letter_port;
            return Ok(vec![Emission { port, batch }]);
        }
        let guest = self.guest(at);
        let processed = guest.instance.process(arrival.input, record.clone());
        processed.map_err(|fault| {
            let origin = arrival.origin.clone();
            let trace = Trace::Single { origin, before };
            record_fault(fault, arrival, Some(record), trace, 1)
        })
    }

    fn count(&mut self, at: usize, arrival: &Arrival, record: &Batch) -> u32 {
        let care = self.care.as_mut();
        let seen = care.map(|care| &mut care.links[at].seen);
        seen.map_or(0, |seen| {
            seen.count(arrival.origin.as_ref(), arrival.input, record)
        })
    }

    /// The dead letter of a record that was found before.
    fn divert(
        &mut self,
        at: usize,
        arrival: &Arrival,
        record: &Batch,
        before: u32,
    ) -> Option<Batch> {
        let care = self.care.as_mut()?;
        let operator = care.plan.operators.get(&arrival.subtask.operator)?;
        let candidate = Candidate {
            subtask: arrival.subtask.index,
            input: arrival.input,
            record,
            origin: arrival.origin.as_deref(),
        };
        let diversion = diversion_of(&operator.diversions, candidate)?;
        let refusal = Refusal {
            subtask: &arrival.subtask,
            input: arrival.input,
            error: &diversion.error,
            origin: arrival.origin.as_deref(),
        };
        care.diverted.push(Diverted {
            finding: diversion.finding,
            origin: arrival.origin.as_deref().cloned(),
            before,
        });
        care.links[at].has_diverted = true;
        Some(dead_letter(record, refusal))
    }
}

fn record_fault(
    fault: GuestFault,
    arrival: &Arrival,
    record: Option<Batch>,
    trace: Trace,
    records: usize,
) -> JobError {
    JobError::Record(Box::new(RecordFault {
        fault: Box::new(fault),
        input: arrival.input,
        records,
        record,
        trace,
    }))
}

/// Adds to what goes out, in order; what goes out of one port together becomes one batch.
fn append(emissions: &mut Vec<Emission>, port: u32, batch: Batch) {
    if batch.is_empty() {
        return;
    }
    match emissions.last_mut() {
        Some(last) if last.port == port => last.batch.append(&batch),
        Some(_) | None => emissions.push(Emission { port, batch }),
    }
}
