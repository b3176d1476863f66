//! Tests of `view`, on texts that failing operators logged.

use proptest::prelude::*;

use super::*;
use crate::backtrace::{SourceMap, SourceRoot};

fn frame(function: &str, place: Option<&str>) -> EngineFrame {
    EngineFrame {
        function: function.to_owned(),
        is_named: !function.starts_with("function "),
        place: place.map(str::to_owned),
    }
}

/// Returns what is shown, each frame of the engine in a line.
fn shown(
    backtrace: Backtrace,
    sources: Option<&Sources>,
    message: &str,
    frames: Vec<EngineFrame>,
) -> String {
    let Shown { message, frames } = view(backtrace, sources, Some(message), frames);
    let frames = frames.into_iter().map(|frame| format!("\nat {frame}"));
    message.expect("there was one") + &frames.collect::<String>()
}

fn root(prefix: &str, folder: &str) -> Sources {
    Sources::at(SourceRoot {
        prefix: prefix.to_owned(),
        folder: folder.to_owned(),
    })
}

const RUST: &str = "panicked at src/pricing.rs:6:65:\ncalled `Option::unwrap()` on a `None` value";

#[test]
fn a_panic_in_rust_has_its_message_first_and_its_place_at_its_frame() {
    let frames = || {
        vec![
            frame("core::option::unwrap_failed", None),
            frame("total::pricing::price", None),
            frame("tidegate_sdk::typed::Typed<O>::process_block", None),
            frame("tidegate:operator/operator@0.1.0#process", None),
        ]
    };
    assert_eq!(
        shown(Backtrace::Own, None, RUST, frames()),
        "panicked: called `Option::unwrap()` on a `None` value\n\
         at total::pricing::price (src/pricing.rs:6:65)"
    );
    assert_eq!(
        shown(Backtrace::Full, None, RUST, frames()),
        "panicked at src/pricing.rs:6:65:\ncalled `Option::unwrap()` on a `None` value\n\
         at total::pricing::price\n\
         at tidegate_sdk::typed::Typed<O>::process_block\n\
         at tidegate:operator/operator@0.1.0#process"
    );
}

#[test]
fn the_place_of_a_panic_is_shown_once_whatever_the_frames_have() {
    let with = |frames| shown(Backtrace::Own, None, RUST, frames);
    let message = "panicked: called `Option::unwrap()` on a `None` value";
    assert_eq!(
        with(vec![frame("total::price", Some("src/pricing.rs:6"))]),
        format!("{message}\nat total::price (src/pricing.rs:6)")
    );
    assert_eq!(
        with(vec![frame("total::price", Some("src/pricing.rs:61"))]),
        format!("{message}\nat src/pricing.rs:6:65\nat total::price (src/pricing.rs:61)")
    );
    // A component whose names were stripped.
    assert_eq!(
        with(vec![frame("function 7", None), frame("function 3", None)]),
        format!("{message}\nat src/pricing.rs:6:65")
    );
}

const PYTHON: &str = "KeyError: '8'\n  at deeper (/1/pricing.py:11): return prices[\"8\"]\n  \
                      at price (/1/pricing.py:4): return deeper({})\n  \
                      at loads (/bundled/json/__init__.py:346)\n  \
                      at process (/2/tidegate/_typed.py:88): self._on_record(record)\n\
                      caused by ValueError\n  at total (/1/total.py:7)";

#[test]
fn a_stack_of_python_has_the_files_of_the_project_and_no_frames_of_others() {
    let sources = root("/1/", "src/");
    let frames = || vec![frame("wit_dylib_export_call", None)];
    assert_eq!(
        shown(Backtrace::Own, Some(&sources), PYTHON, frames()),
        "KeyError: '8'\n\
         at deeper (src/pricing.py:11): return prices[\"8\"]\n\
         at price (src/pricing.py:4): return deeper({})\n\
         caused by ValueError\n\
         at total (src/total.py:7)"
    );
    let full = shown(Backtrace::Full, Some(&sources), PYTHON, frames());
    assert!(
        full.contains("\nat process (/2/tidegate/_typed.py:88): self"),
        "{full}"
    );
    assert!(full.ends_with("\nat wit_dylib_export_call"), "{full}");
}

const GO: &str = "panic: nobody catches it\n\ngoroutine 18 [running]:\n\
                  main.deeper({0x0, 0x0, 0x0})\n\texample.com/total/operator.go:59 +0x3\n\
                  created by main.init.func8 in goroutine 1\n\
                  \texample.com/total/operator.go:55 +0x2\n\
                  runtime.goexit({})\n\truntime/asm_wasm.s:434 +0x1";

#[test]
fn a_trace_of_go_has_the_files_of_the_module_and_no_frames_of_the_runtime() {
    let sources = root("example.com/total/", "");
    assert_eq!(
        shown(
            Backtrace::Own,
            Some(&sources),
            GO,
            vec![frame("function 20", None)]
        ),
        "panic: nobody catches it\n\ngoroutine 18 [running]:\n\
         at main.deeper (operator.go:59)\n\
         created by main.init.func8 in goroutine 1 (operator.go:55)"
    );
}

const JAVASCRIPT: &str = "uncaught TypeError: cannot read property 'first' of undefined\n    \
                          at deeper (/total.js:1:12)\n    at onRecord (/total.js:2:3)\n    \
                          at process (/total.js:3:48)\n    at map (native)";

/// Returns sources whose lines are those of the bundle, each in its own file.
fn bundled() -> Sources {
    let sources = [
        "src/pricing.js",
        "src/operator.js",
        "@tidegate/sdk/src/typed.js",
    ];
    Sources::bundled(SourceMap {
        version: 3,
        file: "total.js".to_owned(),
        sources: sources.map(str::to_owned).to_vec(),
        mappings: "AAQI;ACFA;ACAA".to_owned(),
    })
}

#[test]
fn a_stack_of_javascript_is_mapped_to_the_sources_without_those_of_the_sdk() {
    let frames = || vec![frame("function 71", None)];
    assert_eq!(
        shown(Backtrace::Own, Some(&bundled()), JAVASCRIPT, frames()),
        "uncaught TypeError: cannot read property 'first' of undefined\n\
         at deeper (src/pricing.js:9:5)\n\
         at onRecord (src/operator.js:7:5)"
    );
    assert_eq!(
        shown(Backtrace::Full, Some(&bundled()), JAVASCRIPT, frames()),
        "uncaught TypeError: cannot read property 'first' of undefined\n\
         at deeper (src/pricing.js:9:5)\n\
         at onRecord (src/operator.js:7:5)\n\
         at process (@tidegate/sdk/src/typed.js:7:5)\n\
         at map (native)\n\
         at function 71"
    );
    // A component that was built without a map.
    assert_eq!(
        shown(Backtrace::Own, None, JAVASCRIPT, frames()),
        "uncaught TypeError: cannot read property 'first' of undefined\n\
         at deeper (/total.js:1:12)\nat onRecord (/total.js:2:3)\nat process (/total.js:3:48)"
    );
}

#[test]
fn a_stack_without_a_frame_of_the_author_is_shown_whole() {
    let message = "uncaught Error: no state\n    at process (/total.js:3:48)";
    assert_eq!(
        shown(Backtrace::Own, Some(&bundled()), message, Vec::new()),
        "uncaught Error: no state\nat process (@tidegate/sdk/src/typed.js:7:5)"
    );
}

#[test]
fn a_message_without_a_stack_keeps_the_frames_of_the_engine() {
    let frames = vec![frame("price", None), frame("tg_export_process", None)];
    assert_eq!(
        shown(Backtrace::Own, None, "no price", frames),
        "no price\nat price"
    );
    let javascript = bundled();
    let frames = vec![frame("tidegate:javascript/operator@0.1.0#process", None)];
    let message = "uncaught: only text";
    assert_eq!(
        shown(Backtrace::Own, Some(&javascript), message, frames),
        message
    );
    let nothing = view(Backtrace::Own, None, None, vec![frame("price", None)]);
    assert_eq!(nothing.frames, ["price"]);
}

#[test]
fn the_frames_of_a_message_are_counted() {
    let message = "    at deeper (/total.js:1:12)\n".repeat(1_000);
    let all = shown(Backtrace::Full, Some(&bundled()), &message, Vec::new());
    assert_eq!(all.lines().count(), FRAMES);
}

proptest! {
    #[test]
    fn arbitrary_text_is_shown_without_a_panic(
        text in "(panicked at )?(.|\n|\t|  at | \\(|/total.js:|[1-3]|:|\\)){0,200}",
        full: bool
    ) {
        let backtrace = if full { Backtrace::Full } else { Backtrace::Own };
        for sources in [None, Some(bundled()), Some(root("/", "src/"))] {
            drop(view(backtrace, sources.as_ref(), Some(&text), vec![frame("price", None)]));
        }
    }
}
