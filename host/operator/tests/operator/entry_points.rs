//! A3, A20: every place where the host enters a guest, with a loop, a trap and a recursion in it.
//!
//! Besides the exports these are the start function, the allocator that the host calls while it
//! hands over arguments or the result of one of its own functions, and the functions that clean up
//! after a call. All of them are under the same deadline and on the same stack.

use std::thread;

use tidegate_operator::{
    Component, FaultCause, GuestCall, GuestFault, Instance, Limits, StateChunk,
};

use crate::support::guest::{Guest, KEY_GROUPS};
use crate::support::records::{CHECKPOINT, WATERMARK, batch};
use crate::support::wit::Packages;
use crate::support::{ENGINE, EXPORTS, brief, context, patient};

/// The smallest stack of a thread that calls guests: 512 KiB for guests, 128 KiB for the host, and
/// 32 KiB for the thread itself.
const STACK_BYTES: usize = (512 + 128 + 32) << 10;

/// A place where the host enters a guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// The creation of the instance.
    Start,
    /// The allocator, while the host hands over the arguments of this call.
    Arguments(GuestCall),
    /// The allocator, while the host's `key-groups` hands over its result, in the middle of
    /// `process`.
    HostResult,
    /// An export.
    Export(GuestCall),
    /// The function that frees the result of this call.
    PostReturn(GuestCall),
}

fn places() -> Vec<Place> {
    let with_arguments = [GuestCall::Open, GuestCall::Process, GuestCall::Restore];
    let mut places = vec![Place::Start, Place::HostResult];
    places.extend(with_arguments.map(Place::Arguments));
    places.extend(EXPORTS.map(Place::Export));
    places.extend(EXPORTS.map(Place::PostReturn));
    places
}

impl Place {
    /// Returns the call that fails when this place misbehaves.
    fn call(self) -> GuestCall {
        match self {
            Self::Start => GuestCall::Instantiate,
            Self::HostResult => GuestCall::Process,
            Self::Arguments(call) | Self::Export(call) | Self::PostReturn(call) => call,
        }
    }

    /// Returns a guest that calls `$evil`, which is `item`, in this place only.
    fn guest(self, item: &str) -> Component {
        let name = |call: GuestCall| call.to_string().trim_matches('`').to_owned();
        let guest = Guest::idle()
            .item(KEY_GROUPS)
            .item("(table $table 2 funcref) (elem (table $table) (i32.const 0) func $evil)")
            .item(&format!(
                "(global $armed (mut i32) (i32.const {}))",
                i32::from(self.is_armed())
            ))
            .item(item);
        let arm = "(global.set $armed (i32.const 1))";
        let guest = match self {
            Self::Start => guest.item("(start $evil)"),
            Self::Arguments(GuestCall::Open) => guest,
            Self::Arguments(_) => guest.export(GuestCall::Open, &format!("{arm} (call $done)")),
            Self::HostResult => {
                let ask = "(call $key_groups (local.get $key_offsets) (local.get $key_offsets_len)
                             (local.get $keys) (local.get $keys_len) (i32.const 0))";
                guest.export(GuestCall::Process, &format!("{arm} {ask} (call $done)"))
            }
            Self::Export(call) => guest.export(call, "(call $evil) (call $done)"),
            Self::PostReturn(call) => guest.item(&format!(
                "(func (export \"cabi_post_tidegate:operator/operator@0.1.0#{}\") (param i32)
                   (call $evil))",
                name(call)
            )),
        };
        let allocate = "(call $allocate (local.get 3))";
        let module = guest.module().replace(
            allocate,
            &format!("(if (global.get $armed) (then (call $evil))) {allocate}"),
        );
        let bytes = Packages::contract().component(&module);
        let component = Component::load(&ENGINE, "evil.wasm", &bytes);
        component.unwrap_or_else(|refusal| panic!("{self:?}: {refusal}"))
    }

    /// Returns true if the allocator is evil from the start.
    fn is_armed(self) -> bool {
        self == Self::Arguments(GuestCall::Open)
    }
}

/// Makes `call` on a fresh instance, with arguments for which the guest has to allocate. Returns
/// the fault of this call, or of an earlier one.
fn fault_of(component: &Component, call: GuestCall, limits: &Limits) -> GuestFault {
    let records = || batch(&[("key", "value"), ("other", "")]);
    let chunk = || StateChunk {
        name: "state".to_owned(),
        schema_version: 1,
        key_group: None,
        bytes: vec![1; 100],
    };
    let make = |mut instance: Instance| match call {
        GuestCall::Instantiate | GuestCall::Open => Ok(()),
        GuestCall::Restore => instance.restore(vec![chunk()]),
        GuestCall::Process => instance.process(0, records()).map(drop),
        GuestCall::AdvanceWatermark => instance.advance_watermark(WATERMARK).map(drop),
        GuestCall::Snapshot => instance.snapshot(CHECKPOINT).map(drop),
        GuestCall::CheckpointComplete => instance.checkpoint_complete(CHECKPOINT),
        GuestCall::Finish => instance.finish().map(drop),
    };
    let made = component.instantiate(&context(), limits);
    made.and_then(make).expect_err("the call fails")
}

#[test]
fn a_loop_in_every_place_is_stopped_every_time() {
    const RUNS: usize = 20;
    let stop = |place: Place| {
        let component = place.guest("(func $evil (loop $for_ever (br $for_ever)))");
        let limit = brief().call_timeout;
        for _ in 0..RUNS {
            // On a machine that stood still, an earlier call may be stopped: try again.
            let faults = (0..10_000).map(|_| fault_of(&component, place.call(), &brief()));
            let fault = faults.into_iter().find(|fault| {
                assert_eq!(fault.cause, FaultCause::Timeout { limit }, "{place:?}");
                fault.call == place.call()
            });
            fault.unwrap_or_else(|| panic!("{place:?}: the earlier calls do end"));
        }
    };
    let places = places();
    assert_eq!(places.len(), 19);
    thread::scope(|scope| {
        let threads: Vec<_> = places
            .into_iter()
            .map(|place| scope.spawn(move || stop(place)))
            .collect();
        let ended: Vec<_> = threads.into_iter().map(|thread| thread.join()).collect();
        ended
            .into_iter()
            .for_each(|end| end.expect("every loop is stopped"));
    });
}

#[test]
fn a_trap_in_every_place_is_named_with_its_call() {
    for place in places() {
        let fault = fault_of(
            &place.guest("(func $evil unreachable)"),
            place.call(),
            &patient(),
        );
        assert_eq!(fault.call, place.call(), "{place:?}: {fault}");
        let FaultCause::Trap(report) = &fault.cause else {
            panic!("{place:?}: {fault}");
        };
        assert_eq!(
            report.kind, "wasm `unreachable` instruction executed",
            "{place:?}"
        );
        assert_eq!(report.backtrace[0], "evil", "{place:?}");
        assert!(!fault.instance_is_usable(), "{place:?}");
    }
}

/// Returns a function that recurses for ever and keeps `locals` vectors alive over the call.
fn recursion(locals: usize) -> String {
    let declared = "v128 ".repeat(locals);
    let load: String = (0..locals)
        .map(|local| {
            let at = 16 * local;
            format!("(local.set {local} (v128.load (i32.const {at})))")
        })
        .collect();
    let store: String = (0..locals)
        .map(|local| {
            let at = 16 * local;
            format!("(v128.store (i32.const {at}) (local.get {local}))")
        })
        .collect();
    format!("(func $evil (local {declared}) {load} (call $evil) {store})")
}

/// Returns recursions with frames from a few bytes to some KiB: direct, mutual and through a table.
fn recursions() -> Vec<String> {
    let mut recursions: Vec<String> = [0, 1, 8, 64, 512].map(recursion).into();
    recursions.push(
        "(func $evil (call $other) (global.set $armed (global.get $armed)))
         (func $other (call $evil) (global.set $armed (global.get $armed)))"
            .to_owned(),
    );
    recursions.push(
        "(func $evil (call_indirect $table (i32.const 0)) (global.set $armed (global.get $armed)))"
            .to_owned(),
    );
    recursions.push(
        "(func $evil (call $many (i64.const 1) (i64.const 2) (i64.const 3) (i64.const 4)
             (i64.const 5) (i64.const 6) (i64.const 7) (i64.const 8) (i64.const 9)))
         (func $many (param i64 i64 i64 i64 i64 i64 i64 i64 i64)
             (call $many (local.get 8) (local.get 0) (local.get 1) (local.get 2) (local.get 3)
                 (local.get 4) (local.get 5) (local.get 6) (local.get 7))
             (global.set $armed (global.get $armed)))"
            .to_owned(),
    );
    recursions
}

#[test]
fn recursion_without_end_in_every_place_is_a_stack_overflow_on_the_smallest_stack() {
    let mut overflows = 0;
    for recursion in recursions() {
        for place in places() {
            let component = place.guest(&recursion);
            let call = move || fault_of(&component, place.call(), &patient());
            let thread = thread::Builder::new().stack_size(STACK_BYTES).spawn(call);
            let fault = thread.expect("a thread").join();
            let fault = fault.expect("the host does not panic");
            assert_eq!(
                (fault.call, fault.cause),
                (place.call(), FaultCause::StackOverflow),
                "{place:?}: {recursion}"
            );
            overflows += 1;
        }
    }
    assert_eq!(overflows, 8 * 19);
}
