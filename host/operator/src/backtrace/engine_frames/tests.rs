//! Tests of `engine_frames`.

use super::*;

fn frames(names: &[&str]) -> Vec<EngineFrame> {
    let frame = |name: &&str| EngineFrame {
        function: (*name).to_owned(),
        is_named: !name.starts_with("function "),
        place: None,
    };
    names.iter().map(frame).collect()
}

#[test]
fn the_frames_between_a_panic_and_its_trap_are_left_out() {
    let panic = frames(&[
        "__rust_abort",
        "panic_abort::__rust_start_panic",
        "std::panicking::panic_with_hook",
        "core::panicking::panic_fmt",
        "abort_on_late::on_record",
        "core::panicking::not_at_the_top",
    ]);
    let expected = [
        "abort_on_late::on_record",
        "core::panicking::not_at_the_top",
    ];
    assert_eq!(all(panic), frames(&expected));
}

#[test]
fn a_backtrace_of_nothing_but_machinery_is_kept() {
    let machinery = frames(&["abort", "rust_panic"]);
    assert_eq!(all(machinery.clone()), machinery);
    assert_eq!(own(machinery.clone()), machinery);
}

#[test]
fn the_authors_own_functions_are_those_of_no_library() {
    // As `tidegate test` had them, of an operator in Rust and of one in C.
    let rust = frames(&[
        "core::option::unwrap_failed",
        "<core::iter::Map<I, F> as core::iter::Iterator>::next",
        "<total::Prices as tidegate_sdk::Operator>::on_record",
        "tidegate_sdk::typed::Typed<O>::process_block",
        "tidegate:operator/operator@0.1.0#process",
    ]);
    let own_of_rust = ["<total::Prices as tidegate_sdk::Operator>::on_record"];
    assert_eq!(own(rust), frames(&own_of_rust));
    let c = frames(&["price", "on_record", "typed_process", "tg_export_process"]);
    assert_eq!(own(c), frames(&["price", "on_record"]));
}

#[test]
fn where_no_frame_is_the_authors_own_the_named_ones_are_shown_and_else_all() {
    let named = frames(&["tg_export_process", "function 7"]);
    assert_eq!(own(named), frames(&["tg_export_process"]));
    let nameless = frames(&["function 3", "function 7"]);
    assert_eq!(own(nameless.clone()), nameless);
}
