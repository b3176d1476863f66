//! Record path, only after an operator has failed on a record: the calls of a chain's operators
//! while it isolates records.
//!
//! Every batch carries its origin, and the output for a batch inherits it. For an operator that
//! failed, the chain keeps a snapshot in memory and the calls that the instance got since
//! ([`ReplayLog`]). After a fault it opens a new instance, restores it, repeats the calls, whose
//! output is out already, and continues: [`SubtaskIsolation`] decides which record goes to the
//! dead-letter port. All of it belongs to the next checkpoint, as if the guest had never failed.
//!
//! Each logged instance was itself restored from the snapshot behind its log and then told the
//! watermark: a fault changes nothing of what follows. For that, an instance is replaced when its
//! log begins, also at each barrier.

mod replaying;

use std::sync::Arc;
use std::time::Instant;

use tidegate_operator::{Batch, Emission, GuestFault, StateChunk, headline};

use super::processing::Pending;
use super::{Chain, Role};
use crate::chain::dead_letter::{FailedCall, dead_letter};
use crate::chain::guest::Guest;
use crate::config::{RecordPolicies, RecordPolicy};
use crate::isolation::{
    IsolationPlan, IsolationStep, RecordFault, ReplayLog, ReplayedCall, SubtaskIsolation,
};
use crate::stream::RecordOrigin;
use crate::{CheckpointId, JobError, SubtaskId};

/// Output of records that are processed one by one is gathered up to this many bytes.
const GATHERED_BYTES: usize = 1 << 20;

/// An operator's output for several records is joined up to this size.
const MOST_JOINED_BYTES: usize = 64 << 10;

/// The isolation of records in one chain.
#[derive(Debug)]
pub(crate) struct ChainIsolation {
    plan: Arc<IsolationPlan>,
    /// The isolation of each link.
    links: Vec<LinkIsolation>,
    /// The last checkpoint whose barrier a logged instance has passed, or that the attempt started
    /// from: no instance that has a log returned its state for it.
    barrier: CheckpointId,
    /// Dead letters that the chain has not reported yet.
    dead_letters: u64,
}

#[derive(Debug)]
struct LinkIsolation {
    steps: SubtaskIsolation,
    log: Log,
}

/// The source of a new instance.
#[derive(Debug)]
enum Log {
    /// A snapshot is to be taken before the next record.
    Due,
    Kept(Box<ReplayLog>),
    /// The guest could not return a snapshot. Up to the next barrier, a fault costs the attempt.
    Impossible,
}

/// Returns the failure for a fault in an ordinary attempt, where no batch has an origin.
pub(super) fn fault_without_origin(
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
        origin: None,
    }))
}

/// A batch that is about to enter an operator.
struct Arrival {
    /// The link.
    at: usize,
    subtask: SubtaskId,
    /// The reserved port, after the declared ports.
    dead_letter_port: u32,
    input: u32,
    origin: Option<Arc<RecordOrigin>>,
}

/// The records of a batch that an operator gets one by one.
pub(super) struct Singly {
    arrival: Arrival,
    policies: RecordPolicies,
    batch: Batch,
    /// The next row.
    row: usize,
    /// Output of the rows before it that was not sent yet.
    emissions: Vec<Emission>,
}

impl Arrival {
    fn fault(&self, fault: GuestFault, record: Option<Batch>, records: usize) -> JobError {
        JobError::Record(Box::new(RecordFault {
            fault: Box::new(fault),
            input: self.input,
            records,
            record,
            origin: self.origin.clone(),
        }))
    }

    fn letter(&self, record: &Batch, fault: &GuestFault) -> Batch {
        let failed = FailedCall {
            subtask: &self.subtask,
            input: self.input,
            error: &headline(&format!("{} {}", fault.call, fault.cause)),
            origin: self.origin.as_deref(),
        };
        dead_letter(record, failed)
    }
}

impl Chain {
    /// Isolates records by `plan`, from the first record on. The chain starts from `checkpoint`.
    pub(crate) fn isolating(mut self, plan: Arc<IsolationPlan>, checkpoint: CheckpointId) -> Self {
        let links = self.links.iter().map(|_| LinkIsolation {
            steps: SubtaskIsolation::new(plan.in_a_row),
            log: Log::Due,
        });
        self.isolation = Some(Box::new(ChainIsolation {
            links: links.collect(),
            plan,
            barrier: checkpoint,
            dead_letters: 0,
        }));
        self
    }

    /// Returns the plan, while records are isolated.
    pub(crate) fn isolation_plan(&self) -> Option<&Arc<IsolationPlan>> {
        self.isolation.as_ref().map(|isolation| &isolation.plan)
    }

    /// Makes this an ordinary attempt from now on.
    pub(crate) fn end_isolation(&mut self) {
        self.isolation = None;
        self.outbox.set_origin(None);
    }

    /// Returns the number of dead letters since the last call.
    pub(crate) fn take_dead_letters(&mut self) -> u64 {
        let isolation = self.isolation.as_mut();
        isolation.map_or(0, |isolation| std::mem::take(&mut isolation.dead_letters))
    }

    /// Returns true if the records that a link fails on become dead letters now: at a barrier, its
    /// instance is replaced as if its memory had grown too large, so that its log can start there.
    pub(super) fn isolates(&self, at: usize) -> bool {
        let operator = &self.links[at].subtask.id.operator;
        let policies = self
            .isolation_plan()
            .and_then(|plan| plan.operators.get(operator));
        policies.is_some_and(RecordPolicies::has_dead_letters)
    }

    /// Starts the log of a link that continues at a barrier with an instance that was restored from
    /// `state` and told the watermark.
    pub(super) fn start_log_at(
        &mut self,
        barrier: CheckpointId,
        at: usize,
        state: Vec<StateChunk>,
    ) {
        let watermark = self.links[at].subtask.watermark.last();
        self.isolation().barrier = barrier;
        let log = Box::new(ReplayLog::new(state, watermark));
        self.isolation().links[at].log = Log::Kept(log);
    }

    /// Logs that an operator was told a watermark.
    pub(super) fn log_watermark(&mut self, at: usize, watermark: i64) {
        self.log_call(at, ReplayedCall::Watermark(watermark));
    }

    /// Processes a batch while records are isolated. The metrics of its input are counted already.
    pub(super) fn process_isolating(
        &mut self,
        at: usize,
        input: u32,
        batch: Batch,
    ) -> Result<(), JobError> {
        let subtask = &self.links[at].subtask;
        let arrival = Arrival {
            at,
            subtask: subtask.id.clone(),
            dead_letter_port: subtask.ports,
            input,
            origin: self.outbox.origin().cloned(),
        };
        let started = Instant::now();
        let plan = self.isolation_plan();
        let policies = plan.and_then(|plan| plan.operators.get(&arrival.subtask.operator));
        let Some(policies) = policies.copied() else {
            let emissions = self.process_whole(&arrival, batch)?;
            self.after_call(at, started);
            self.look_at_memory(at)?;
            self.emit_all(at, emissions);
            return Ok(());
        };
        let mut emissions = Vec::new();
        // An operator without dead letters gets single records, so that the bad one can be named.
        if policies.has_dead_letters() {
            emissions = self.begin_log_if_due(at)?;
            // One more call could take as long again.
            let goes_on = batch.len() > 1 && !self.cancelled.is_cancelled();
            if goes_on && self.is_good(&arrival, policies, &batch, &mut emissions)? {
                self.after_call(at, started);
                self.look_at_memory(at)?;
                self.emit_all(at, emissions);
                return Ok(());
            }
        }
        self.after_call(at, started);
        self.pending.push(Pending::Singly(Box::new(Singly {
            arrival,
            policies,
            batch,
            row: 0,
            emissions: Vec::new(),
        })));
        self.emit_all(at, emissions);
        Ok(())
    }

    /// Processes the next record; the others stay pending.
    pub(super) fn process_next(&mut self, mut singly: Box<Singly>) -> Result<(), JobError> {
        let at = singly.arrival.at;
        if singly.row == singly.batch.len() {
            return Ok(());
        }
        let started = Instant::now();
        let record = single_record(&singly.batch, singly.row);
        let mut emissions = std::mem::take(&mut singly.emissions);
        let has_dead_letters = singly.policies.has_dead_letters();
        if has_dead_letters {
            self.process_or_dead_letter(&singly.arrival, singly.policies, &record, &mut emissions)?;
        } else {
            let (guest, input) = (self.guest(at), singly.arrival.input);
            let processed = guest.instance().process(input, record.clone());
            let failed = |fault| singly.arrival.fault(fault, Some(record), 1);
            append(&mut emissions, processed.map_err(failed)?);
        }
        self.after_call(at, started);
        singly.row += 1;
        if singly.row < singly.batch.len() {
            let bytes = emissions.iter().map(|emission| emission.batch.byte_size());
            if bytes.sum::<usize>() < GATHERED_BYTES {
                singly.emissions = std::mem::take(&mut emissions);
            }
            self.pending.push(Pending::Singly(singly));
        } else {
            if has_dead_letters {
                self.steps(at).on_batch_done();
            }
            self.look_at_memory(at)?;
        }
        self.emit_all(at, emissions);
        Ok(())
    }

    fn after_call(&mut self, at: usize, started: Instant) {
        self.links[at].subtask.metrics.count_busy(started.elapsed());
        self.show_counts(at);
    }

    /// Processes all records at once, for an operator that has not failed before or may name the
    /// record that it fails on.
    fn process_whole(
        &mut self,
        arrival: &Arrival,
        batch: Batch,
    ) -> Result<Vec<Emission>, JobError> {
        let records = batch.len();
        let guest = self.guest(arrival.at);
        let processed = guest.instance().process(arrival.input, batch);
        processed.map_err(|fault| {
            let record = self.guest(arrival.at).instance().take_failed_record();
            arrival.fault(fault, record, records)
        })
    }

    /// Returns true if an operator with dead letters did not fail on a batch. Otherwise the
    /// operator is back where it was before the batch.
    fn is_good(
        &mut self,
        arrival: &Arrival,
        policies: RecordPolicies,
        batch: &Batch,
        emissions: &mut Vec<Emission>,
    ) -> Result<bool, JobError> {
        match self.call(arrival, batch) {
            Ok(given) => {
                append(emissions, given);
                Ok(true)
            }
            Err(fault) => {
                self.recover(arrival, policies, (fault, batch), emissions)?;
                self.steps(arrival.at).on_batch_failed();
                Ok(false)
            }
        }
    }

    fn process_or_dead_letter(
        &mut self,
        arrival: &Arrival,
        policies: RecordPolicies,
        record: &Batch,
        emissions: &mut Vec<Emission>,
    ) -> Result<(), JobError> {
        loop {
            let fault = match self.call(arrival, record) {
                Ok(given) => {
                    append(emissions, given);
                    return Ok(());
                }
                Err(fault) => fault,
            };
            let fault = self.recover(arrival, policies, (fault, record), emissions)?;
            match self.steps(arrival.at).on_record_failed() {
                IsolationStep::Retry => {}
                IsolationStep::DeadLetter => {
                    let subtask = &arrival.subtask;
                    tracing::debug!(%subtask, "a record becomes a dead letter: {fault}");
                    let letter = Emission {
                        port: arrival.dead_letter_port,
                        batch: arrival.letter(record, &fault),
                    };
                    append(emissions, vec![letter]);
                    self.isolation().dead_letters += 1;
                    return Ok(());
                }
                IsolationStep::GiveUp => {
                    return Err(JobError::OnlyDeadLetters {
                        in_a_row: self.isolation().plan.in_a_row,
                        last: Box::new(arrival.fault(fault, Some(record.clone()), 1)),
                    });
                }
            }
        }
    }

    /// Calls `process`, and logs the processed batch.
    fn call(&mut self, arrival: &Arrival, batch: &Batch) -> Result<Vec<Emission>, GuestFault> {
        let Arrival { at, input, .. } = *arrival;
        let given = self.guest(at).instance().process(input, batch.clone())?;
        // Before a fault of a later record takes the instance away.
        self.show_counts(at);
        self.steps(at).on_processed();
        let batch = batch.clone();
        self.log_call(at, ReplayedCall::Process { input, batch });
        Ok(given)
    }

    /// Brings the operator back to where it was before the failed call. Returns the failure of the
    /// attempt if the record must not become a dead letter or the calls can't be replayed.
    fn recover(
        &mut self,
        arrival: &Arrival,
        policies: RecordPolicies,
        (fault, batch): (GuestFault, &Batch),
        emissions: &mut Vec<Emission>,
    ) -> Result<GuestFault, JobError> {
        let at = arrival.at;
        let record = match batch.len() {
            1 => Some(batch.clone()),
            _ => self.guest(at).instance().take_failed_record(),
        };
        // Each further fault could take as long as a call may.
        let is_over = self.cancelled.is_cancelled();
        let failed = RecordFault {
            fault: Box::new(fault),
            input: arrival.input,
            records: batch.len(),
            record,
            origin: arrival.origin.clone(),
        };
        let log = std::mem::replace(&mut self.isolation().links[at].log, Log::Due);
        match log {
            Log::Kept(log) if failed.policy(&policies) == RecordPolicy::DeadLetter && !is_over => {
                // The log is not replayed to its end if the attempt is over meanwhile.
                let Some(replayed) = self.replay(at, log)? else {
                    return Err(JobError::Record(Box::new(failed)));
                };
                append(emissions, replayed);
                Ok(*failed.fault)
            }
            Log::Kept(_) | Log::Due | Log::Impossible => Err(JobError::Record(Box::new(failed))),
        }
    }

    fn show_counts(&mut self, at: usize) {
        let link = &mut self.links[at];
        if let Role::Operator(guest) = &mut link.role {
            guest.show_counts(&link.subtask.metrics);
        }
    }

    fn isolation(&mut self) -> &mut ChainIsolation {
        let isolation = self.isolation.as_mut();
        isolation.expect("only asked while records are isolated")
    }

    fn steps(&mut self, at: usize) -> &mut SubtaskIsolation {
        &mut self.isolation().links[at].steps
    }

    fn guest(&mut self, at: usize) -> &mut Guest {
        match &mut self.links[at].role {
            Role::Operator(guest) => guest,
            Role::Sink(_) => unreachable!("only operators are called"),
        }
    }
}

/// Returns one record of a batch, as a batch of its own.
fn single_record(batch: &Batch, row: usize) -> Batch {
    let mut record = Batch::default();
    let (key, value) = (batch.keys().row(row), batch.values().row(row));
    record.push(batch.timestamps()[row], key, value);
    record
}

/// Adds emissions to the output, in order; small neighbours for the same port become one batch.
fn append(emissions: &mut Vec<Emission>, more: Vec<Emission>) {
    let more = more.into_iter().filter(|more| !more.batch.is_empty());
    for Emission { port, batch } in more {
        let joins = |last: &Emission| {
            let bytes = last.batch.byte_size() + batch.byte_size();
            last.port == port && bytes <= MOST_JOINED_BYTES
        };
        match emissions.last_mut().filter(|last| joins(last)) {
            Some(last) => last.batch.append(&batch),
            None => emissions.push(Emission { port, batch }),
        }
    }
}
