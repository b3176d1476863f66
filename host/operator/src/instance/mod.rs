//! Record path: source → channel → **operator instance** → output check → router → sink.
//!
//! One instantiation of a component in its own store, safely called. Invariants: every call has a
//! deadline, a memory limit and an output limit; its results are checked. After a call that did not
//! succeed, the guest is never entered again unless it returned the failure itself and its state is
//! known. The runtime decides when to call; nothing here does.

pub(crate) mod debug_info;
mod function_name;
mod guest_log;
pub(crate) mod host_state;
mod interruption;
mod output;
mod thread_stack;
mod trap;

use std::panic::{AssertUnwindSafe, catch_unwind};

use tracing::warn;
use wasmtime::Store;

use crate::batch::{Batch, Emission};
use crate::bindings::StreamOperatorPre;
use crate::bindings::exports::tidegate::operator::operator::Guest;
use crate::bindings::tidegate::operator::types;
use crate::fault::{FaultCause, GuestCall, GuestFault};
use crate::foreign_text::panic_message;
use crate::guest_text;
use crate::limits::Limits;
use crate::state_chunk::{OperatorContext, StateChunk, snapshot_bytes};

use host_state::HostState;
use output::OutputRules;

pub use interruption::InstanceCanceller;

/// The largest number of component-model handles of a guest. The contract has no resources.
const COMPONENT_HANDLES: usize = 1_000;

/// The tenths of the snapshot limit from which the host warns.
const SNAPSHOT_WARNING_TENTHS: u64 = 8;

/// The outcome of a call into the guest: wasmtime's error, the guest's own failure, or its result.
type Answer<T> = wasmtime::Result<Result<T, types::Failure>>;

/// An operator instance: one component, instantiated in its own store.
///
/// One thread at a time calls it; it can be sent between threads. Calls run on the caller's stack.
/// If the thread has less left than a guest may use, the call fails with
/// [`FaultCause::ThreadStack`], so threads that call it need 2 MiB.
///
/// Every method that calls the guest returns a [`GuestFault`] if the call does not succeed. Each
/// later call then fails with [`FaultCause::InstanceSpent`], unless
/// [`GuestFault::instance_is_usable`].
pub struct Instance {
    store: Store<HostState>,
    guest: Guest,
    rules: OutputRules,
    limits: Limits,
    operator: String,
    subtask: u32,
    /// True once a call failed, and while a call runs.
    spent: bool,
    failed_record: Option<Batch>,
    is_near_snapshot_limit: bool,
}

impl Instance {
    /// Makes a store with its limits, instantiates the component in it, and opens the operator.
    pub(crate) fn open(
        component: &StreamOperatorPre<HostState>,
        state: HostState,
        context: &OperatorContext,
        limits: &Limits,
    ) -> Result<Self, GuestFault> {
        let mut store = Store::new(component.engine(), state);
        // Before instantiation, since initial memories and start functions are limited too.
        store.limiter(|state| &mut state.memory);
        store.set_max_component_handles(COMPONENT_HANDLES);
        store.epoch_deadline_callback(|store| Ok(store.data().interruption.on_tick()));

        let guest = check_entry(store.data(), false).and_then(|()| {
            begin_call(&mut store, GuestCall::Instantiate, limits);
            guarded(|| {
                component
                    .instantiate(&mut store)
                    .map(|operator| operator.tidegate_operator_operator().clone())
                    .map_err(|error| {
                        let call = GuestCall::Instantiate;
                        trap::cause(&error, call, store.data_mut(), limits)
                    })
            })
        });
        let guest = guest.map_err(|cause| GuestFault {
            operator: context.operator.clone(),
            subtask: context.subtask,
            call: GuestCall::Instantiate,
            cause,
        })?;

        let mut instance = Self {
            store,
            guest,
            rules: OutputRules::new(context, limits),
            limits: limits.clone(),
            operator: context.operator.clone(),
            subtask: context.subtask,
            spent: false,
            failed_record: None,
            is_near_snapshot_limit: false,
        };
        let context = types::Context::from(context);
        instance.call(
            GuestCall::Open,
            |guest, store| guest.call_open(store, &context),
            |_, ()| Ok(()),
        )?;
        Ok(instance)
    }

    /// Processes the records of one batch from input `input`. Called for every batch, in order.
    ///
    /// # Errors
    ///
    /// [`GuestFault`]. [`Instance::take_failed_record`] then returns the record, if it is known.
    pub fn process(&mut self, input: u32, batch: Batch) -> Result<Vec<Emission>, GuestFault> {
        let records = types::Batch::from(batch);
        let processed = self.call(
            GuestCall::Process,
            |guest, store| guest.call_process(store, input, &records),
            OutputRules::check_emissions,
        );
        processed.map_err(|fault| self.with_failed_record(fault, &records))
    }

    /// Notifies the operator that no record older than `watermark` follows.
    ///
    /// # Errors
    ///
    /// [`GuestFault`].
    pub fn advance_watermark(&mut self, watermark: i64) -> Result<Vec<Emission>, GuestFault> {
        self.call(
            GuestCall::AdvanceWatermark,
            |guest, store| guest.call_advance_watermark(store, watermark),
            OutputRules::check_emissions,
        )
    }

    /// Notifies the operator that all inputs have ended. A last `snapshot` may follow.
    ///
    /// # Errors
    ///
    /// [`GuestFault`].
    pub fn finish(&mut self) -> Result<Vec<Emission>, GuestFault> {
        self.call(
            GuestCall::Finish,
            |guest, store| guest.call_finish(store),
            OutputRules::check_emissions,
        )
    }

    /// Takes a snapshot of the operator's state at the barrier of checkpoint `checkpoint`.
    ///
    /// # Errors
    ///
    /// [`GuestFault`]; that checkpoint fails. If the guest only returned a failure, or a snapshot
    /// that is too large or breaks a rule, the instance is still usable.
    pub fn snapshot(&mut self, checkpoint: u64) -> Result<Vec<StateChunk>, GuestFault> {
        let chunks = self.call(
            GuestCall::Snapshot,
            |guest, store| guest.call_snapshot(store, checkpoint),
            OutputRules::check_chunks,
        )?;
        self.warn_near_snapshot_limit(snapshot_bytes(&chunks));
        Ok(chunks)
    }

    /// Restores the operator's state. Called at most once, before any record.
    ///
    /// # Errors
    ///
    /// [`GuestFault`]; the instance may have read a part of the state and must be discarded.
    pub fn restore(&mut self, chunks: Vec<StateChunk>) -> Result<(), GuestFault> {
        let chunks: Vec<types::StateChunk> = chunks.into_iter().map(Into::into).collect();
        self.call(
            GuestCall::Restore,
            |guest, store| guest.call_restore(store, &chunks),
            |_, ()| Ok(()),
        )
    }

    /// Notifies the operator that checkpoint `checkpoint` is durable in the whole job.
    ///
    /// # Errors
    ///
    /// [`GuestFault`]. If the guest only returned a failure, the instance is still usable.
    pub fn checkpoint_complete(&mut self, checkpoint: u64) -> Result<(), GuestFault> {
        self.call(
            GuestCall::CheckpointComplete,
            |guest, store| guest.call_checkpoint_complete(store, checkpoint),
            |_, ()| Ok(()),
        )
    }

    /// Returns the number of bytes that the guest's memories and tables occupy. They never shrink.
    #[must_use]
    pub fn memory_bytes(&self) -> u64 {
        self.store.data().memory.used()
    }

    /// Returns the additions to the guest's counters since the last call, in the order of their
    /// names.
    pub fn take_counts(&mut self) -> Vec<(String, u64)> {
        self.store.data_mut().counters.drain()
    }

    /// Returns the number of the guest's log lines dropped since the last call.
    pub fn take_dropped_log_lines(&mut self) -> u64 {
        self.store.data_mut().log.take_dropped()
    }

    /// Returns, once, the record on which the last `process` failed, as a batch of one row: the
    /// record that the guest called invalid, or the only record of its batch.
    pub fn take_failed_record(&mut self) -> Option<Batch> {
        self.failed_record.take()
    }

    /// Returns a handle that cancels the calls of this instance, from any thread.
    #[must_use]
    pub fn canceller(&self) -> InstanceCanceller {
        self.store.data().interruption.canceller().clone()
    }

    /// Warns that snapshots will soon be too large, once each time that they come near the limit.
    fn warn_near_snapshot_limit(&mut self, bytes: u64) {
        let limit = self.limits.snapshot;
        let is_near = bytes.saturating_mul(10) >= limit.saturating_mul(SNAPSHOT_WARNING_TENTHS);
        if is_near && !self.is_near_snapshot_limit {
            let (operator, subtask) = (&self.operator, self.subtask);
            warn!(
                operator,
                subtask,
                bytes,
                limit,
                "the snapshot is close to its limit, above which checkpoints fail; raise \
                 `limits.snapshot`"
            );
        }
        self.is_near_snapshot_limit = is_near;
    }

    /// Makes one call, and checks its result.
    fn call<T, U>(
        &mut self,
        call: GuestCall,
        enter: impl FnOnce(&Guest, &mut Store<HostState>) -> Answer<T>,
        check: impl FnOnce(&OutputRules, T) -> Result<U, FaultCause>,
    ) -> Result<U, GuestFault> {
        check_entry(self.store.data(), self.spent).map_err(|cause| self.fault(call, cause))?;
        // Set until the call has succeeded: the guest must not be entered after half a call.
        self.spent = true;
        begin_call(&mut self.store, call, &self.limits);
        let answer = guarded(|| match enter(&self.guest, &mut self.store) {
            Ok(Ok(returned)) => check(&self.rules, returned),
            Ok(Err(failure)) => Err(answered(call, failure)),
            Err(error) => {
                let state = self.store.data_mut();
                Err(trap::cause(&error, call, state, &self.limits))
            }
        });
        self.store.data_mut().log.write_held();
        match answer {
            Ok(checked) => {
                self.spent = false;
                Ok(checked)
            }
            Err(cause) => {
                let fault = self.fault(call, cause);
                self.spent = !fault.instance_is_usable();
                Err(fault)
            }
        }
    }

    fn fault(&self, call: GuestCall, cause: FaultCause) -> GuestFault {
        GuestFault {
            operator: self.operator.clone(),
            subtask: self.subtask,
            call,
            cause,
        }
    }

    /// Keeps the record on which the guest failed, if it is known. A record that is not in the
    /// batch can't be invalid.
    fn with_failed_record(&mut self, fault: GuestFault, records: &types::Batch) -> GuestFault {
        let GuestFault { call, cause, .. } = fault;
        let rows = records.timestamps.len();
        let FaultCause::InvalidRecord { row, reason } = cause else {
            let is_only = rows == 1 && cause.can_stem_from_records();
            self.failed_record = is_only.then(|| one_record(records, 0));
            return self.fault(call, cause);
        };
        let cause = if (row as usize) < rows {
            self.failed_record = Some(one_record(records, row as usize));
            FaultCause::InvalidRecord { row, reason }
        } else {
            FaultCause::UnknownRecord { row, rows, reason }
        };
        self.fault(call, cause)
    }
}

impl std::fmt::Debug for Instance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Instance")
            .field("operator", &self.operator)
            .field("subtask", &self.subtask)
            .field("spent", &self.spent)
            .finish_non_exhaustive()
    }
}

/// Returns the cause of a failure that the guest itself returned.
fn answered(call: GuestCall, failure: types::Failure) -> FaultCause {
    match failure {
        types::Failure::InvalidRecord((row, reason)) => {
            let reason = guest_text::one_line(&reason);
            if call == GuestCall::Process {
                FaultCause::InvalidRecord { row, reason }
            } else {
                let rows = 0;
                FaultCause::UnknownRecord { row, rows, reason }
            }
        }
        types::Failure::IncompatibleState(reason) => {
            FaultCause::IncompatibleState(guest_text::paragraph(&reason))
        }
        types::Failure::Other(reason) => FaultCause::Failed(guest_text::paragraph(&reason)),
    }
}

/// Rejects entry to a guest that was cancelled or is in an unknown state, and to any guest on a
/// thread whose stack it could exhaust.
fn check_entry(state: &HostState, is_spent: bool) -> Result<(), FaultCause> {
    if state.interruption.canceller().is_cancelled() {
        return Err(FaultCause::Cancelled);
    }
    if is_spent {
        return Err(FaultCause::InstanceSpent);
    }
    thread_stack::check(state.stack_needed)
}

/// Sets the bounds of the next call: the deadline, and the bytes that the guest may hand over.
fn begin_call(store: &mut Store<HostState>, call: GuestCall, limits: &Limits) {
    store.set_hostcall_fuel(liftable_bytes(limits.handed_over(call)));
    store.data_mut().begin_call(limits.call_timeout);
    // At each tick the store's callback decides whether the call continues.
    store.set_epoch_deadline(1);
}

/// Returns the number of bytes that wasmtime may lift of the guest's results. It counts its
/// structures and the bytes in them, never more than the limit counts; some are for a failure. The
/// limit itself is checked afterwards.
fn liftable_bytes(limit: u64) -> usize {
    usize::try_from(limit.saturating_add(64 << 10)).unwrap_or(usize::MAX)
}

/// Runs `call` so that a panic of the engine costs one instance and not the process.
fn guarded<T>(call: impl FnOnce() -> Result<T, FaultCause>) -> Result<T, FaultCause> {
    // The store is not used again after a panic.
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|panic| {
        let message = panic_message(panic.as_ref());
        Err(FaultCause::HostPanic { message })
    })
}

/// Returns one record of a batch that was well formed when it was handed to the guest.
fn one_record(records: &types::Batch, row: usize) -> Batch {
    let bytes = |column: &types::Column| {
        let range = column.offsets[row] as usize..column.offsets[row + 1] as usize;
        column.data[range].to_vec()
    };
    let mut batch = Batch::with_capacity(1, 0, 0);
    batch.push(
        records.timestamps[row],
        &bytes(&records.keys),
        &bytes(&records.values),
    );
    batch
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instance_can_be_sent_between_threads() {
        fn is_send<T: Send>() {}
        is_send::<Instance>();
    }

    #[test]
    fn a_panic_of_the_engine_is_a_fault() {
        let cause = guarded::<()>(|| panic!("adapter {}", 7)).expect_err("it panicked");
        let message = "adapter 7".to_owned();
        assert_eq!(cause, FaultCause::HostPanic { message });
    }
}
