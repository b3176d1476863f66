//! Log lines of a guest reach `tracing`, or the embedder's sink: escaped, truncated and limited in
//! rate.

use std::sync::{Arc, Mutex};

use tidegate_operator::{
    Component, EngineOptions, FaultCause, GuestCall, GuestLogSink, Limits, LogLevel, LogSource,
};
use tracing::Level;

use crate::support::guest::{COUNT, Guest, LOG};
use crate::support::lines::{Line, Lines};
use crate::support::records::batch;
use crate::support::{context, engine, load, patient};

/// Returns the lines that `process` with this body logs, and the number of dropped lines.
fn logged(guest: Guest, body: &str, limits: &Limits) -> (Vec<Line>, u64) {
    let lines = Lines::default();
    let component = load(&guest.export(GuestCall::Process, body));
    let mut instance = component.instantiate(&context(), limits).expect("it opens");
    tracing::subscriber::with_default(lines.clone(), || {
        instance.process(0, batch(&[])).expect("it logs");
    });
    (lines.take(), instance.take_dropped_log_lines())
}

fn speaker(text: &str) -> Guest {
    Guest::idle()
        .item(LOG)
        .item(&format!("(data (i32.const 2048) \"{text}\")"))
}

#[test]
fn every_level_reaches_the_log_with_operator_and_subtask() {
    let body: String = (0..5)
        .map(|level| format!("(call $log (i32.const {level}) (i32.const 2048) (i32.const 5))"))
        .collect();
    let (lines, dropped) = logged(
        speaker("hello"),
        &format!("{body} (call $done)"),
        &patient(),
    );
    let levels = [
        Level::TRACE,
        Level::DEBUG,
        Level::INFO,
        Level::WARN,
        Level::ERROR,
    ];
    let expected = levels.map(|level| {
        (
            level,
            "message=hello operator=\"count\" subtask=1".to_owned(),
        )
    });
    assert_eq!((lines.as_slice(), dropped), (&expected[..], 0));
}

#[test]
fn control_characters_never_reach_the_log() {
    let body = "(call $log (i32.const 2) (i32.const 2048) (i32.const 11)) (call $done)";
    let (lines, _) = logged(speaker("\\1b[2Ja\\0ab\\0d\\07c\\7f"), body, &patient());
    let expected = "message=\\u{1b}[2Ja\\nb\\r\\u{7}c\\u{7f} operator=\"count\" subtask=1";
    assert_eq!(lines, [(Level::INFO, expected.to_owned())]);
}

#[test]
fn a_long_line_is_cut_and_says_so() {
    let body = "(memory.fill (i32.const 65536) (i32.const 120) (i32.const 20000))
                (call $log (i32.const 2) (i32.const 65536) (i32.const 20000)) (call $done)";
    let (lines, _) = logged(speaker("").pages(4), body, &patient());
    let cut = format!(
        "message={}… ({} bytes more) operator=\"count\" subtask=1",
        "x".repeat(8192),
        20_000 - 8192
    );
    assert_eq!(lines, [(Level::INFO, cut)]);
}

#[test]
fn a_flood_is_held_to_its_rate_and_every_dropped_line_is_counted() {
    let flood = "(local $n i32)
        (loop $more
          (call $log (i32.const 0) (i32.const 2048) (i32.const 1))
          (local.set $n (i32.add (local.get $n) (i32.const 1)))
          (br_if $more (i32.lt_u (local.get $n) (i32.const 100000))))
        (call $done)";
    let limits = Limits {
        log_lines_per_second: 10,
        ..patient()
    };
    let (lines, dropped) = logged(speaker("x"), flood, &limits);
    let written = lines
        .iter()
        .filter(|(level, _)| *level == Level::TRACE)
        .count() as u64;
    assert_eq!(written + dropped, 100_000);
    // A slow machine takes several seconds, each with its ten lines.
    assert!(written >= 10, "only {written} were written");
    assert!(dropped > 0, "none was dropped");
}

#[test]
fn too_many_counters_are_not_kept_and_are_reported_once() {
    // It counts under 300 names of three digits.
    let body = "(local $n i32)
        (loop $more
          (i32.store8 (i32.const 0) (i32.add (i32.const 48)
            (i32.div_u (local.get $n) (i32.const 100))))
          (i32.store8 (i32.const 1) (i32.add (i32.const 48)
            (i32.rem_u (i32.div_u (local.get $n) (i32.const 10)) (i32.const 10))))
          (i32.store8 (i32.const 2) (i32.add (i32.const 48)
            (i32.rem_u (local.get $n) (i32.const 10))))
          (call $count (i32.const 0) (i32.const 3) (i64.const 1))
          (local.set $n (i32.add (local.get $n) (i32.const 1)))
          (br_if $more (i32.lt_u (local.get $n) (i32.const 300))))
        (call $done)";
    let guest = Guest::idle().item(COUNT).export(GuestCall::Process, body);
    let lines = Lines::default();
    let mut instance = load(&guest)
        .instantiate(&context(), &patient())
        .expect("it opens");
    tracing::subscriber::with_default(lines.clone(), || {
        instance.process(0, batch(&[])).expect("it counts");
    });
    let expected: Vec<(String, u64)> = (0..256).map(|n| (format!("{n:03}"), 1)).collect();
    assert_eq!(instance.take_counts(), expected);
    assert_eq!(lines.take().len(), 1);
}

#[test]
fn a_flood_of_long_lines_is_held_to_its_bytes() {
    const LINES: u64 = 2_000;
    let flood = format!(
        "(local $n i32)
         (memory.fill (i32.const 65536) (i32.const 120) (i32.const 8000))
         (loop $more
           (call $log (i32.const 2) (i32.const 65536) (i32.const 8000))
           (local.set $n (i32.add (local.get $n) (i32.const 1)))
           (br_if $more (i32.lt_u (local.get $n) (i32.const {LINES}))))
         (call $done)"
    );
    let limits = Limits {
        log_lines_per_second: u32::MAX,
        log_bytes_per_second: 64 << 10,
        ..patient()
    };
    let began = std::time::Instant::now();
    let (lines, dropped) = logged(speaker("").pages(4), &flood, &limits);
    // The first second begins with the first line, and the last one may have just begun.
    let seconds = began.elapsed().as_secs() + 2;
    let own = lines
        .iter()
        .filter(|(_, line)| line.contains("xxx"))
        .count() as u64;
    assert_eq!(own + dropped, LINES);
    assert!(
        own <= seconds * ((64 << 10) / 8_000 + 1),
        "{own} lines in {seconds} s"
    );
}

/// A sink that keeps its lines, as an embedder would pass them on.
#[derive(Clone, Debug, Default)]
struct Kept(Arc<Mutex<Vec<String>>>);

impl Kept {
    fn push(&self, entry: String) {
        self.0
            .lock()
            .expect("no test panics while it logs")
            .push(entry);
    }
}

impl GuestLogSink for Kept {
    fn write(&self, source: LogSource<'_>, level: LogLevel, line: &str) {
        let LogSource { operator, subtask } = source;
        self.push(format!("{operator}/{subtask} {level:?}: {line}"));
    }

    fn report_dropped(&self, source: LogSource<'_>, lines: u64) {
        self.push(format!(
            "{}/{}: {lines} dropped",
            source.operator, source.subtask
        ));
    }
}

/// Loads a component whose log lines go to `sink`.
fn load_with_sink(guest: &Guest, sink: impl GuestLogSink + 'static) -> Component {
    let engine = engine(EngineOptions {
        log_sink: Arc::new(sink),
        ..EngineOptions::default()
    });
    let component = Component::load(&engine, "guest.wasm", &guest.component());
    component.unwrap_or_else(|refusal| panic!("{refusal}"))
}

#[test]
fn the_sink_of_an_embedder_gets_every_line_escaped_and_tracing_gets_none() {
    let body: String = (0..5)
        .map(|level| format!("(call $log (i32.const {level}) (i32.const 2048) (i32.const 3))"))
        .collect();
    let guest = speaker("a\\07b").export(GuestCall::Process, &format!("{body} (call $done)"));
    let (kept, lines) = (Kept::default(), Lines::default());
    let component = load_with_sink(&guest, kept.clone());
    let mut instance = component
        .instantiate(&context(), &patient())
        .expect("it opens");
    tracing::subscriber::with_default(lines.clone(), || {
        instance.process(0, batch(&[])).expect("it logs");
    });
    let expected = ["Trace", "Debug", "Info", "Warn", "Error"]
        .map(|level| format!("count/1 {level}: a\\u{{7}}b"));
    let kept = kept.0.lock().expect("no test panics while it logs");
    assert_eq!((kept.as_slice(), lines.take()), (&expected[..], Vec::new()));
}

#[test]
fn a_sink_that_panics_fails_the_call_and_not_the_process() {
    #[derive(Debug)]
    struct Broken;
    impl GuestLogSink for Broken {
        fn write(&self, _: LogSource<'_>, _: LogLevel, line: &str) {
            panic!("no room for {line}");
        }
        fn report_dropped(&self, _: LogSource<'_>, _: u64) {}
    }
    let body = "(call $log (i32.const 2) (i32.const 2048) (i32.const 1)) (call $done)";
    let guest = speaker("x").export(GuestCall::Process, body);
    let component = load_with_sink(&guest, Broken);
    let mut instance = component
        .instantiate(&context(), &patient())
        .expect("it opens");
    let fault = instance
        .process(0, batch(&[]))
        .expect_err("the sink panics");
    let message = "no room for x".to_owned();
    assert_eq!(fault.cause, FaultCause::HostPanic { message });
}
