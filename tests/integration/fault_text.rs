//! The fault of an operator as `tidegate run` shows it: the author's own frames, once, and the
//! record by its key and place.

use std::fs;

use tidegate_tests::wat_guest::{self, WatGuest};
use tidegate_tests::{JobDirectory, published_lines};

/// Returns a job that reads three lines, the last of which is fatal, and restarts twice.
fn job(more_of_operator: &str, more: &str) -> JobDirectory {
    let job = JobDirectory::new(&format!(
        r#"version = 1
name = "faults"
[checkpoint]
directory = "state"
[restart]
strategy = "fixed-delay"
delay = "1ms"
attempts = 2
[source.sales]
connector = "file"
path = "sales.csv"
format = "csv"
key = {{ column = "fruit" }}
value = {{ column = "count" }}
[operator.total]
component = "total.wasm"
inputs = [{{ from = "sales" }}]
{more_of_operator}
[sink.out]
connector = "file"
directory = "out"
format = "lines"
inputs = [{{ from = "total" }}]
{more}
"#
    ));
    job.write("sales.csv", "fruit,count\napples,3\napples,4\npears,88\n");
    job.write("total.wasm", panicking().component());
    job
}

/// Returns an operator in the form of one in Rust that panics at a value of two bytes.
fn panicking() -> WatGuest {
    let panic = "panicked at src/pricing.rs:6:65:\\nno price";
    let bytes = panic.len() - 1;
    WatGuest::echo()
        .item(wat_guest::LOG)
        .item(&format!("(data (i32.const 3000) \"{panic}\")"))
        .item(&format!(
            "(func $_ZN5total5price17h0123456789abcdefE
               (call $log (i32.const 4) (i32.const 3000) (i32.const {bytes})) unreachable)"
        ))
        .item(
            "(func $_ZN12tidegate_sdk5typed7process17h0123456789abcdefE (param $bytes i32)
               (if (i32.eq (i32.const 2) (local.get $bytes))
                 (then (call $_ZN5total5price17h0123456789abcdefE))))",
        )
        .export("process", PROCESS)
}

/// Fails if the values together have 2 more bytes than there are records, or emits the batch.
const PROCESS: &str = "
    (call $_ZN12tidegate_sdk5typed7process17h0123456789abcdefE
      (i32.add (i32.const 1) (i32.sub (local.get $values_len) (local.get $rows))))
    (i32.store (i32.const 1100) (i32.const 0))
    (call $pair (i32.const 1104) (local.get $times) (local.get $rows))
    (call $pair (i32.const 1112) (local.get $key_offsets) (local.get $key_offsets_len))
    (call $pair (i32.const 1120) (local.get $keys) (local.get $keys_len))
    (call $pair (i32.const 1128) (local.get $value_offsets) (local.get $value_offsets_len))
    (call $pair (i32.const 1136) (local.get $values) (local.get $values_len))
    (call $one_emission)";

const FAULT: &str = "operator `total`, subtask 0: `process` trapped: panicked: no price\n    \
                     at total::price (src/pricing.rs:6:65)\n    at export.process\n    record: ";
const RECORD: &str =
    "key `pears`, value of 2 bytes, on input 0, from source sales[0] at sales.csv 30..39\n";

#[test]
fn a_fault_is_shown_once_with_the_authors_own_frames_and_the_place_of_the_record() {
    let ended = job("", "").tidegate(&["run", "job.toml"]);
    ended.assert_fails(
        1,
        &[
            &format!("restart 1: {FAULT}one of 3 on input 0\n"),
            &format!("restart 2: the same failure as before\n    record: {RECORD}"),
            &format!("error: gave up after 2 restart(s): {FAULT}{RECORD}"),
        ],
    );
    for others in ["tidegate_sdk", "tidegate::guest"] {
        assert!(!ended.stderr.contains(others), "{others}: {ended:#?}");
    }
    assert_eq!(ended.stderr.matches("no price").count(), 2, "{ended:#?}");
}

#[test]
fn a_full_backtrace_has_the_frames_of_the_sdk_and_the_kind_of_the_trap() {
    let full = "panicked at src/pricing.rs:6:65:\n    no price\n    at total::price\n    \
                at tidegate_sdk::typed::process\n    at export.process\n    record: ";
    let ended = job("", "").tidegate(&["run", "job.toml", "--backtrace", "full"]);
    ended.assert_fails(1, &[full]);
}

#[test]
fn a_dead_letter_has_the_fault_in_one_line() {
    let sink = "[sink.letters]\nconnector = \"file\"\ndirectory = \"letters\"\n\
                format = \"lines\"\ninputs = [{ from = \"total:dead-letter\" }]";
    let job = job("on-trap = \"dead-letter\"", sink);
    job.tidegate(&["run", "job.toml"]).assert_succeeds();
    let letters = published_lines(&job.path().join("letters"));
    let expected = "\"error\":\"`process` trapped: panicked: no price at total::price \
                    (src/pricing.rs:6:65)\",";
    assert!(letters[0].contains(expected), "{letters:?}");
    assert_eq!(letters.len(), 1, "{letters:?}");
    let parts = fs::read_dir(job.path().join("out")).expect("the output is there");
    assert!(parts.count() > 0, "the other records are published");
}
