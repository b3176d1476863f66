//! A thread with too little stack for a guest gets a fault, and the process lives: each case runs
//! in a separate process, whose end would be a failure.

use std::hint::black_box;
use std::thread;

use tidegate_operator::{Component, FaultCause, GuestCall, GuestFault, Instance};

use crate::support::guest::{Guest, LOG};
use crate::support::records::batch;
use crate::support::{child, context, load, open, patient};

/// The guest's 512 KiB, and 128 KiB of the host.
const NEEDED: usize = 640 << 10;

/// Returns a guest that recurses for ever and logs at each level, so that the host works where the
/// stack runs out.
fn guest() -> Component {
    let guest = Guest::idle()
        .item(LOG)
        .item(
            "(func $deep (call $log (i32.const 4) (i32.const 0) (i32.const 60000)) (call $deep)
               (i32.store (i32.const 0) (i32.const 1)))",
        )
        .export(GuestCall::Process, "(call $deep) (call $done)");
    load(&guest)
}

/// Calls `then` below frames of at least `bytes` bytes, the first of which is at `top`.
fn below(bytes: usize, top: Option<usize>, then: &mut dyn FnMut()) {
    let frame = [0_u8; 256];
    let here = black_box(&raw const frame).addr();
    let top = top.unwrap_or(here);
    if top - here < bytes {
        below(bytes, Some(top), then);
    } else {
        then();
    }
    // The frame is needed until here, so that the call before it is not a tail call.
    black_box(&frame);
}

fn on_thread<T: Send + 'static>(kib: usize, work: impl FnOnce() -> T + Send + 'static) -> T {
    let thread = thread::Builder::new().stack_size(kib << 10).spawn(work);
    thread.expect("a thread").join().expect("it does not panic")
}

/// Returns the fault of a guest that is made and called on a thread of `thread` KiB, below `frames`
/// KiB.
fn fault(component: Component, thread: usize, frames: usize) -> GuestFault {
    on_thread(thread, move || {
        let mut fault = None;
        below(frames << 10, None, &mut || {
            let called = component
                .instantiate(&context(), &patient())
                .and_then(|mut instance| instance.process(0, batch(&[])));
            fault = called.err();
        });
        fault.expect("it recurses without end")
    })
}

/// Runs the test `name` in a child for each case: a thread's KiB, and the KiB of the frames on it.
fn each_in_a_child(name: &str, cases: &[(usize, usize)], check: fn(GuestFault)) {
    if let Some(case) = child::task() {
        let mut numbers = case
            .split(' ')
            .map(|number| number.parse().expect("a number"));
        let mut next = || numbers.next().expect("two numbers");
        check(fault(guest(), next(), next()));
        return child::report_peak();
    }
    for (thread, frames) in cases {
        child::peak_of(
            &format!("thread_stacks::{name}"),
            &format!("{thread} {frames}"),
        );
    }
}

#[test]
fn a_thread_with_too_little_stack_left_gets_a_fault_that_says_what_to_do() {
    let name = "a_thread_with_too_little_stack_left_gets_a_fault_that_says_what_to_do";
    let cases = [
        (128, 0),
        (256, 0),
        (512, 0),
        (600, 0),
        (1024, 500),
        (2048, 1600),
    ];
    each_in_a_child(name, &cases, |fault| {
        let FaultCause::ThreadStack { left, needed } = fault.cause else {
            panic!("{fault}");
        };
        assert_eq!((fault.call, needed), (GuestCall::Instantiate, NEEDED));
        assert!(left < NEEDED, "{left}");
        assert_eq!(
            fault.to_string(),
            format!(
                "operator `count`, subtask 1: instantiation was not called: {} KiB of the calling \
                 thread's stack are left, but a guest may need 640; give threads that call guests \
                 a larger stack (2 MiB is enough for the default), or the engine a smaller guest \
                 stack",
                left >> 10
            )
        );
    });
}

#[test]
fn a_thread_with_enough_stack_left_survives_a_guest_that_uses_up_its_own() {
    let name = "a_thread_with_enough_stack_left_survives_a_guest_that_uses_up_its_own";
    let cases = [(672, 0), (1024, 0), (1024, 300), (2048, 0), (2048, 1200)];
    each_in_a_child(name, &cases, |fault| {
        let overflow = (GuestCall::Process, FaultCause::StackOverflow);
        assert_eq!((fault.call, fault.cause), overflow);
    });
}

#[test]
fn an_instance_that_was_refused_a_small_stack_answers_on_a_larger_one() {
    let mut instance: Instance = open(&Guest::echo());
    let mut instance = on_thread(256, move || {
        let fault = instance.process(0, batch(&[("a", "1")]));
        let fault = fault.expect_err("the stack is too small");
        assert_eq!(fault.cause.code(), "thread-stack", "{fault}");
        assert!(fault.instance_is_usable(), "{fault}");
        assert_eq!(instance.take_failed_record(), None);
        instance
    });
    let echoed = instance.process(0, batch(&[("b", "2")]));
    assert_eq!(echoed.expect("it echoes")[0].batch, batch(&[("b", "2")]));
}
