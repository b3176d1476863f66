//! Cancelling a call from another thread. Timeouts are ten minutes: a call that a timeout ended
//! would have another cause.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use tidegate_operator::{
    Component, EngineOptions, FaultCause, GuestCall, GuestLogSink, InstanceCanceller, LogLevel,
    LogSource,
};

use crate::support::guest::{Guest, LOG};
use crate::support::records::{batch, emitted};
use crate::support::{context, engine, load, make, open, patient};

/// Logs a line, and then loops for ever.
const LOOP: &str = "(call $log (i32.const 0) (i32.const 0) (i32.const 0)) (loop $more (br $more))
                    unreachable";
/// Logs for ever.
const LOGS: &str = "(loop $more
                      (call $log (i32.const 0) (i32.const 0) (i32.const 0)) (br $more))
                    unreachable";

/// A sink that reports each line of a guest: its call has then begun.
#[derive(Debug)]
struct Reporter(Mutex<Sender<()>>);

impl GuestLogSink for Reporter {
    fn write(&self, _: LogSource<'_>, _: LogLevel, _: &str) {
        let line = self.0.lock().expect("no test panics while it logs");
        // The test does not listen after the first line.
        line.send(()).unwrap_or_default();
    }

    fn report_dropped(&self, _: LogSource<'_>, _: u64) {}
}

/// Returns a component that runs `body` in `call`, and a receiver that learns of its first line.
fn component(call: GuestCall, body: &str) -> (Component, Receiver<()>) {
    let (sender, receiver) = channel();
    let engine = engine(EngineOptions {
        log_sink: Arc::new(Reporter(Mutex::new(sender))),
        ..EngineOptions::default()
    });
    let guest = Guest::idle().item(LOG).export(call, body);
    let component = Component::load(&engine, "guest.wasm", &guest.component());
    (component.expect("it loads"), receiver)
}

/// Cancels once the guest has logged.
fn cancel_after_line(canceller: InstanceCanceller, line: Receiver<()>) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        line.recv().expect("the guest logs");
        canceller.cancel();
    })
}

#[test]
fn an_endless_call_is_cancelled_long_before_its_timeout() {
    let cases = [
        (GuestCall::Process, LOOP),
        (GuestCall::Process, LOGS),
        (GuestCall::Snapshot, LOOP),
        (GuestCall::Finish, LOOP),
    ];
    for (call, body) in cases {
        let (component, line) = component(call, body);
        let instance = component.instantiate(&context(), &patient());
        let mut instance = instance.expect("it opens");
        let thread = cancel_after_line(instance.canceller(), line);
        let fault = make(&mut instance, call).expect_err("it is cancelled");
        assert_eq!((fault.call, &fault.cause), (call, &FaultCause::Cancelled));
        assert!(!fault.instance_is_usable(), "{fault}");
        assert_eq!(instance.take_failed_record(), None, "no record is to blame");
        let again = make(&mut instance, call).expect_err("it is cancelled");
        assert_eq!(again.cause, FaultCause::Cancelled);
        thread.join().expect("it cancels");
    }
}

#[test]
fn an_endless_open_is_cancelled() {
    let (component, line) = component(GuestCall::Open, LOOP);
    let canceller = InstanceCanceller::default();
    let thread = cancel_after_line(canceller.clone(), line);
    let instance = component.instantiate_cancellable(&context(), &patient(), canceller);
    let fault = instance.expect_err("it is cancelled");
    assert_eq!(
        (fault.call, fault.cause),
        (GuestCall::Open, FaultCause::Cancelled)
    );
    thread.join().expect("it cancels");
}

#[test]
fn an_endless_start_function_is_cancelled() {
    let start = "(func $forever (loop $more (br $more))) (start $forever)";
    let component = load(&Guest::idle().item(start));
    let canceller = InstanceCanceller::default();
    let later = canceller.clone();
    let thread = thread::spawn(move || {
        // A start function can't log: the call has most likely begun by now; if not, it is refused.
        thread::sleep(Duration::from_millis(50));
        later.cancel();
    });
    let instance = component.instantiate_cancellable(&context(), &patient(), canceller);
    let fault = instance.expect_err("it is cancelled");
    assert_eq!(
        (fault.call, fault.cause),
        (GuestCall::Instantiate, FaultCause::Cancelled)
    );
    thread.join().expect("it cancels");
}

#[test]
fn a_cancelled_instance_is_not_called_again() {
    let mut instance = open(&Guest::echo());
    let canceller = instance.canceller();
    canceller.cancel();
    assert!(canceller.is_cancelled());
    for _ in 0..2 {
        let fault = instance.process(0, batch(&[("a", "1")]));
        let fault = fault.expect_err("it is cancelled");
        assert_eq!(fault.cause, FaultCause::Cancelled);
        assert_eq!(
            fault.to_string(),
            "operator `count`, subtask 1: `process` was cancelled by its caller"
        );
    }
}

#[test]
fn the_canceller_of_one_instance_does_not_touch_another_of_the_same_component() {
    // This takes some ticks of the clock.
    let component = load(&Guest::echo().export(
        GuestCall::AdvanceWatermark,
        "(local $n i32)
         (loop $more
           (local.set $n (i32.add (local.get $n) (i32.const 1)))
           (br_if $more (i32.lt_u (local.get $n) (i32.const 100000000))))
         (call $done)",
    ));
    let instantiate = || {
        let instance = component.instantiate(&context(), &patient());
        instance.expect("it opens")
    };
    let (mut cancelled, mut other) = (instantiate(), instantiate());
    cancelled.canceller().cancel();
    let fault = cancelled.advance_watermark(1).expect_err("it is cancelled");
    assert_eq!(fault.cause, FaultCause::Cancelled);
    assert!(!other.canceller().is_cancelled());
    assert_eq!(other.advance_watermark(1).expect("it continues"), []);
    let echoed = other.process(0, batch(&[("a", "1")]));
    assert_eq!(echoed.expect("it echoes"), emitted(batch(&[("a", "1")])));
}
