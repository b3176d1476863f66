//! Job files that are wrong in one place each, and the messages about them.
//!
//! `‹` and `›` mark the place of the problem; they are removed before the file is read.

use std::path::Path;

use super::super::JobFile;
use super::{FULL, connectors, file, problems_of};
use crate::config_file::ConfigFileError;
use crate::config_file::problem::Problem;

/// Replaces `good` in [`FULL`] by `bad`, which has one mark, and expects this one problem.
#[track_caller]
fn expect(good: &str, bad: &str, message: &str, help: &str) {
    assert_eq!(
        FULL.matches(good).count(),
        1,
        "{good} is in the full job once"
    );
    let marked = FULL.replacen(good, bad, 1);
    let start = marked.find('‹').expect("there is a mark");
    let end = marked.find('›').expect("the mark ends") - '‹'.len_utf8();
    let mut expected = Problem::at(start..end, message);
    expected.help = (!help.is_empty()).then(|| help.to_owned());
    assert_eq!(problems_of(&marked.replace(['‹', '›'], "")), [expected]);
}

#[test]
fn the_full_job_file_is_right() {
    assert_eq!(problems_of(FULL), []);
}

#[test]
fn another_version_is_refused_with_both() {
    let ours = env!("CARGO_PKG_VERSION");
    let message = format!("the job file has version 2; this tidegate ({ours}) reads version 1");
    expect(
        "version = 1",
        "version = ‹2›",
        &message,
        "use a newer tidegate",
    );
    expect(
        "version = 1",
        "‹version = 0›",
        "`version` is 0",
        "expected `version = 1`",
    );
    expect(
        "version = 1",
        "version = ‹\"1\"›",
        "`version` of the job file is a string",
        "expected the integer 1",
    );
    expect(
        "version = 1\n",
        "‹›",
        "the job file has no `version`",
        "expected `version = 1`, the version of the job file's format",
    );
}

#[test]
fn a_job_without_a_usable_name_is_refused() {
    let example = "expected the job's name, such as `name = \"word-count\"`";
    let message = "the job file has no `name`";
    let text = FULL.replacen("name = \"word-count\"", "", 1);
    assert_eq!(
        problems_of(&text),
        [Problem::at(0..0, message).help(example)]
    );
    expect(
        "\"word-count\"",
        "‹\"word count\"›",
        "the job's name is \"word count\"",
        "expected 1 to 64 of a-z, A-Z, 0-9, `-` and `_`",
    );
    expect(
        "\"word-count\"",
        "‹\"\"›",
        "`name` of the job file is empty",
        "expected the job's name",
    );
}

#[test]
fn unknown_keys_are_pointed_at_everywhere() {
    let mean = |key: &str| format!("did you mean `{key}`?");
    for (good, bad, table, key) in [
        (
            "interval = \"1s\"",
            "‹intervall› = \"1s\"",
            "[checkpoint]",
            "interval",
        ),
        ("min-pause", "‹min_pause›", "[checkpoint]", "min-pause"),
        (
            "initial",
            "‹inital›",
            "[restart] with strategy `exponential-backoff`",
            "initial",
        ),
        (
            "max-parallelism",
            "‹max-paralelism›",
            "[defaults]",
            "max-parallelism",
        ),
        (
            "keys = 3",
            "‹kees› = 3",
            "source `numbers` (connector `generator`)",
            "keys",
        ),
        (
            "partition = \"hash\"",
            "‹partitioning› = \"hash\"",
            "an input of operator `count`",
            "partition",
        ),
        (
            "call-timeout",
            "‹call_timeout›",
            "limits of operator `count`",
            "call-timeout",
        ),
        (
            "on-invalid-record",
            "‹on-invalid-records›",
            "operator `count`",
            "on-invalid-record",
        ),
    ] {
        let unmarked = bad.replace(['‹', '›'], "");
        let wrong = unmarked.split(' ').next().unwrap_or_default();
        expect(
            good,
            bad,
            &format!("unknown key `{wrong}` in {table}"),
            &mean(key),
        );
    }
}

#[test]
fn a_key_of_another_strategy_is_unknown() {
    expect(
        "strategy = \"exponential-backoff\"\ninitial = \"1s\"\nmax = \"1m\"\n\
         backoff-multiplier = 3\nattempts = 3\nreset-after = \"5m\"",
        "strategy = \"fixed-delay\"\n‹reset-after› = \"5m\"",
        "unknown key `reset-after` in [restart] with strategy `fixed-delay`",
        "expected one of `strategy`, `delay`, `attempts`",
    );
    expect(
        "\"exponential-backoff\"",
        "‹\"exponential\"›",
        "`strategy` of [restart] is \"exponential\"",
        "expected one of `none`, `fixed-delay`, `exponential-backoff`",
    );
}

#[test]
fn wrong_types_and_values_name_what_is_expected() {
    let duration = "expected a duration such as \"500ms\", \"1s\" or \"10m\"";
    let size = "expected a size such as \"64KiB\", \"256MiB\" or \"1GiB\"";
    for (good, bad, message, help) in [
        (
            "interval = \"1s\"",
            "interval = ‹1›",
            "`interval` of [checkpoint] is an integer",
            duration,
        ),
        (
            "interval = \"1s\"",
            "interval = ‹\"0s\"›",
            "`interval` of [checkpoint] is \"0s\": it can't be zero",
            duration,
        ),
        (
            "timeout = \"1m\"",
            "timeout = ‹\"500d\"›",
            "`timeout` of [checkpoint] is \"500d\": longer than a year",
            duration,
        ),
        (
            "memory = \"64MiB\"",
            "memory = ‹\"64\"›",
            "`memory` of limits of operator `count` is \"64\": the unit is missing",
            size,
        ),
        (
            "retain = 2",
            "retain = ‹0›",
            "`retain` of [checkpoint] is 0",
            "expected an integer from 1 to 10000",
        ),
        (
            "drill-every = 10",
            "drill-every = ‹0›",
            "`drill-every` of [checkpoint] is 0",
            "expected an integer, at least 1",
        ),
        (
            "attempts = 3",
            "attempts = ‹0›",
            "`attempts` of [restart] is 0",
            "expected an integer, at least 1",
        ),
        (
            "max-parallelism = 64",
            "max-parallelism = ‹99999999999999999999›",
            "`max-parallelism` of [defaults] is 99999999999999999999",
            "expected an integer from 1 to 32768",
        ),
        (
            "inputs = [{ from = \"split\", partition = \"hash\" }]",
            "inputs = ‹\"split\"›",
            "`inputs` of operator `count` is a string",
            "expected a list such as [{ from = \"name\" }]",
        ),
        (
            "partition = \"hash\"",
            "partition = ‹\"shuffle\"›",
            "`partition` of an input of operator `count` is \"shuffle\"",
            "expected one of `forward`, `hash`, `rebalance`, `broadcast`",
        ),
    ] {
        expect(good, bad, message, help);
    }
}

#[test]
fn what_can_not_be_meant_is_refused() {
    for (good, bad, message, help) in [
        (
            "config = { deep = [1, { a = 2.5, at = 2026-01-02 }], on = true, text = \"x\" }",
            "config = { a = ‹nan› }",
            "JSON can't represent nan",
            "the operator receives its config as JSON; write the number as a string",
        ),
        (
            "outputs = [\"main\", \"late\"]",
            "outputs = [\"main\", \"late\"]\non-invalid-record = ‹\"dead-letter\"›",
            "no node reads the dead letters of operator `split`",
            "expected a sink or operator with `inputs = [{ from = \"split:dead-letter\" }]`",
        ),
        (
            "format = \"lines\"",
            "format = \"jsonl\"\non-invalid-record = ‹\"dead-letter\"›",
            "no node reads the dead letters of source `lines`",
            "expected a sink or operator with `inputs = [{ from = \"lines:dead-letter\" }]`",
        ),
        (
            "max = \"1m\"",
            "max = ‹\"1ms\"›",
            "`max` of [restart] is shorter than `initial`",
            "waits grow from `initial` (default \"100ms\") to `max` (default \"30s\")",
        ),
    ] {
        expect(good, bad, message, help);
    }
}

#[test]
fn what_is_missing_is_reported_at_the_header() {
    expect(
        "[operator.count]\ncomponent = \"count.wasm\"\n",
        "[operator.‹count›]\n",
        "operator `count` has no `component`",
        "expected the path of a .wasm file, relative to the job file",
    );
    expect(
        "[source.lines]\nconnector = \"file\"\nparallelism = 1\npath = \"input/*.txt\"\n\
         format = \"lines\"\n",
        "[source.‹lines›]\nconnector = \"file\"\n",
        "source `lines` (connector `file`) has no `path`",
        "",
    );
}

#[test]
fn names_that_lead_nowhere_are_pointed_at() {
    expect(
        "{ from = \"count\" }",
        "{ from = ‹\"counts\"› }",
        "sink `counts` reads from sink `counts`",
        "expected a source or an operator: a sink has no output",
    );
    expect(
        "{ from = \"count\" }",
        "{ from = ‹\"cuont\"› }",
        "sink `counts` reads from `cuont`, which does not exist",
        "did you mean `count`?",
    );
    for (from, reason, help) in [
        (
            "split:2",
            "operator `split` has 2 output port(s), numbered from 0",
            "",
        ),
        (
            "split:latest",
            "operator `split` has no output port of that name",
            "did you mean `late`?",
        ),
        (
            "lines:1",
            "source `lines` has 1 output port(s), numbered from 0",
            "",
        ),
        (
            "count:late",
            "operator `count` names no `outputs`",
            "expected a port number, or `outputs = [\"main\", ..]` with the port's name",
        ),
        (
            "count:64",
            "operator `count` names no `outputs`",
            "expected a port from 0 to 63",
        ),
        (
            "split:dead-letter",
            "operator `split` sends no dead letters",
            "expected `on-invalid-record = \"dead-letter\"` or `on-trap = \"dead-letter\"` in \
             [operator.split]",
        ),
        (
            "lines:dead-letter",
            "source `lines` sends no dead letters",
            "expected `on-invalid-record = \"dead-letter\"` in [source.lines]",
        ),
    ] {
        expect(
            "{ from = \"count\" }",
            &format!("{{ from = ‹\"{from}\"› }}"),
            &format!("sink `counts` reads from `{from}`: {reason}"),
            help,
        );
    }
}

#[test]
fn a_name_belongs_to_one_node_of_any_kind() {
    expect(
        "[sink.shown]",
        "[sink.‹count›]",
        "sink `count` has the same name as operator `count`",
        "expected another name: checkpoints identify nodes by their names",
    );
}

#[test]
fn connectors_are_listed_when_one_is_not_known() {
    expect(
        "connector = \"stdout\"",
        "connector = ‹\"kafka\"›",
        "sink `shown` has the unknown connector `kafka`",
        "the sink connectors are `file`, `stdout`, `discard`",
    );
    expect(
        "connector = \"generator\"",
        "connector = ‹\"genrator\"›",
        "source `numbers` has the unknown connector `genrator`",
        "did you mean `generator`? the source connectors are `generator`, `file`, `stdin`",
    );
}

#[test]
fn options_of_a_connector_have_their_own_lines() {
    expect(
        "to = 100",
        "to = ‹\"many\"›",
        "`to` of source `numbers` (connector `generator`): invalid type: string \"many\"",
        "expected u64",
    );
    expect(
        "format = \"tsv\"",
        "format = ‹\"xml\"›",
        "`format` of sink `counts` (connector `file`): unknown variant `xml`",
        "expected one of `tsv`, `lines`, `jsonl`, `csv`",
    );
}

#[test]
fn a_graph_that_can_not_run_is_placed_in_the_file() {
    expect(
        "inputs = [{ from = \"lines\", partition = \"rebalance\" }, { from = \"numbers\" }]",
        "‹inputs› = [{ from = \"count\" }]",
        "the graph has a cycle: split -> count -> split",
        "expected a graph without cycles: a barrier can't pass a cycle",
    );
    expect(
        "inputs = [{ from = \"split:1\", partition = \"broadcast\" }]",
        "‹inputs› = [{ from = \"split:1\", partition = \"forward\" }]",
        "`split` has parallelism 3 and `shown` has 1, but `forward` needs equal parallelism; use \
         `rebalance` or `hash`",
        "",
    );
    expect(
        "outputs = [\"main\", \"late\"]\nparallelism = 3",
        "outputs = [\"main\", \"late\"]\nparallelism = ‹65›",
        "`split` has parallelism 65; it can be 1 to max-parallelism, 64",
        "",
    );
    expect(
        "inputs = [{ from = \"split:1\", partition = \"broadcast\" }]",
        "‹inputs› = []",
        "`shown` has no inputs",
        "",
    );
    expect(
        "[sink.shown]",
        "[sink.‹\"a b\"›]",
        "`a b` is not a name: use 1 to 64 of a-z, A-Z, 0-9, `-` and `_`",
        "",
    );
}

#[test]
fn syntax_errors_have_a_place() {
    let text = "version = 1\nname = \n[checkpoint\n";
    let ConfigFileError::Invalid(invalid) = file(text).graph(None, &connectors()).unwrap_err()
    else {
        panic!("this is not TOML");
    };
    let lines: Vec<_> = invalid
        .problems
        .iter()
        .map(|p| p.locate(text).line)
        .collect();
    assert_eq!(lines, [Some(2), Some(3)], "{:?}", invalid.problems);
    assert!(
        invalid
            .problems
            .iter()
            .all(|problem| problem.message.starts_with("not TOML: "))
    );
}

#[test]
fn several_problems_are_reported_at_once() {
    let text = FULL
        .replacen("interval = \"1s\"", "intervall = 1", 1)
        .replacen("from = \"count\"", "from = \"cuont\"", 1)
        .replacen("keys = 3", "kees = 3\nform = 2", 1);
    let found = problems_of(&text);
    let lines: Vec<_> = found.iter().map(|p| p.locate(&text).line).collect();
    assert_eq!(lines, [Some(6), Some(34), Some(35), Some(61)], "{found:?}");
}

#[test]
fn what_is_not_text_has_a_place() {
    let bytes = b"version = 1\nname = \"\xff\"\n".to_vec();
    let error = JobFile::from_bytes(Path::new("job.toml"), bytes).unwrap_err();
    let ConfigFileError::Invalid(invalid) = error else {
        panic!("the file was read");
    };
    let located = invalid.problems[0].locate(&invalid.text);
    assert_eq!((located.line, located.column), (Some(2), Some(9)));
}
