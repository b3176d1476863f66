//! Tests of `stack_text`.

use proptest::prelude::*;

use super::*;

/// Returns the lines in one form: `function|file|line|column|rest` for a frame.
fn shown(message: &str) -> Vec<String> {
    let shown = |line| match line {
        StackLine::Text(text) => text.to_owned(),
        StackLine::Frame(StackFrame {
            function,
            place,
            rest,
        }) => match place {
            None => format!("{function}|native"),
            Some(FilePlace { file, line, column }) => {
                let column = column.unwrap_or(0);
                format!("{function}|{file}|{line}|{column}|{rest}")
            }
        },
    };
    lines(message).into_iter().map(shown).collect()
}

#[test]
fn quickjs_has_a_line_for_each_frame() {
    let message = "uncaught TypeError: cannot read property 'first' of undefined\n    \
                   at deeper (/total.js:2001:12)\n    at <anonymous> (/total.js:114:80)\n    \
                   at map (native)";
    assert_eq!(
        shown(message),
        [
            "uncaught TypeError: cannot read property 'first' of undefined",
            "deeper|/total.js|2001|12|",
            "<anonymous>|/total.js|114|80|",
            "map|native",
        ]
    );
}

#[test]
fn the_python_sdk_adds_the_line_of_the_source() {
    let message = "KeyError: '8'\n  at deeper (/1/pricing.py:11): return prices[f(x)]\n  \
                   … 7 calls more\ncaused by ValueError: at a (b:1)";
    assert_eq!(
        shown(message),
        [
            "KeyError: '8'",
            "deeper|/1/pricing.py|11|0|: return prices[f(x)]",
            "  … 7 calls more",
            "caused by ValueError: at a (b:1)",
        ]
    );
}

#[test]
fn go_has_two_lines_for_each_frame() {
    let message = "panic: nobody catches it\n\ngoroutine 18 [running]:\n\
                   main.(*total).price(0x1, {0x2, 0x3})\n\texample.com/total/a.go:7 +0x1f\n\
                   created by main.init.func8 in goroutine 1\n\texample.com/total/b.go:9";
    assert_eq!(
        shown(message),
        [
            "panic: nobody catches it",
            "",
            "goroutine 18 [running]:",
            "main.(*total).price|example.com/total/a.go|7|0|",
            "created by main.init.func8 in goroutine 1|example.com/total/b.go|9|0|",
        ]
    );
}

#[test]
fn a_file_below_the_heading_of_a_stack_is_no_frame() {
    let message = "goroutine 1 [running]:\n\tmain.go:7";
    assert_eq!(shown(message), ["goroutine 1 [running]:", "\tmain.go:7"]);
}

#[test]
fn text_that_only_looks_like_a_stack_stays_text() {
    for text in [
        "at a (b:1)",
        "  at noon",
        "  at a (b)",
        "  at a (:1)",
        "a\n\tb",
        "  at a (b:1",
    ] {
        let lines = lines(text);
        let is_text = |line: &StackLine<'_>| matches!(line, StackLine::Text(_));
        assert!(lines.iter().all(is_text), "{text}: {lines:?}");
    }
}

proptest! {
    #[test]
    fn arbitrary_text_is_read_without_a_panic(
        text in "(.|\n|\t|at | \\(|:1|\\)){0,200}"
    ) {
        drop(lines(&text));
    }
}
