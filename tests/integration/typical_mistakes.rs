//! Twenty mistakes that people make in their first hours. Each message names the place of the
//! mistake and its remedy, and the exit code is the documented one.

use std::fs;

use tidegate_tests::{Finished, JobDirectory, WatGuest, guest};

/// The job of which each mistake changes a piece.
const JOB: &str = r#"version = 1
name = "clicks"
[checkpoint]
directory = "state"
[source.clicks]
connector = "file"
path = "clicks.jsonl"
format = "jsonl"
key = { json = "/user" }
[operator.count]
component = "count.wasm"
inputs = [{ from = "clicks", partition = "hash" }]
[sink.out]
connector = "file"
inputs = [{ from = "count" }]
directory = "output"
format = "tsv"
"#;

/// A mistake in the job file that `check` finds.
struct Mistake {
    name: &'static str,
    /// The piece of [`JOB`] that is written wrong.
    right: &'static str,
    wrong: &'static str,
    /// Its place, and then what the message says of the remedy.
    says: &'static [&'static str],
}

const IN_JOB_FILE: [Mistake; 12] = [
    Mistake {
        name: "a typo in an option",
        right: "format = \"jsonl\"",
        wrong: "fromat = \"jsonl\"",
        says: &["job.toml:8:1", "`fromat`", "did you mean `format`?"],
    },
    Mistake {
        name: "a typo in a table",
        right: "[sink.out]",
        wrong: "[snik.out]",
        says: &["job.toml:13:2", "`snik`", "did you mean `sink`?"],
    },
    Mistake {
        name: "a typo in a connector",
        right: "\"file\"\npath",
        wrong: "\"fiel\"\npath",
        says: &["job.toml:6:13", "`fiel`", "did you mean `file`?"],
    },
    Mistake {
        name: "a typo in the operator's own config",
        right: "[sink.out]",
        wrong: "config = { emti = \"final\" }\n[sink.out]",
        says: &["job.toml:13:12", "`count`", "`emti`", "expected `emit`"],
    },
    Mistake {
        name: "a wrong type",
        right: "version = 1",
        wrong: "version = \"one\"",
        says: &["job.toml:1:11", "is a string", "expected the integer 1"],
    },
    Mistake {
        name: "a duration without a unit that exists",
        right: "\"state\"",
        wrong: "\"state\"\ninterval = \"5 fortnights\"",
        says: &["job.toml:5:12", "fortnights", "such as \"500ms\""],
    },
    Mistake {
        name: "a size without a unit that exists",
        right: "\"clicks.jsonl\"",
        wrong: "\"clicks.jsonl\"\nmax-record-bytes = \"1 MegaByte\"",
        says: &["job.toml:8:20", "1 MegaByte", "such as \"64KiB\""],
    },
    Mistake {
        name: "a key path without its slash",
        right: "\"/user\"",
        wrong: "\"user\"",
        says: &["job.toml:9:7", "write \"/user\""],
    },
    Mistake {
        name: "an input that does not exist",
        right: "from = \"clicks\"",
        wrong: "from = \"click\"",
        says: &["job.toml:12:20", "`click`", "did you mean `clicks`?"],
    },
    Mistake {
        name: "an operator that reads itself",
        right: "from = \"clicks\"",
        wrong: "from = \"count\"",
        says: &["job.toml:12", "count -> count", "without cycles"],
    },
    Mistake {
        name: "two nodes of one name",
        right: "[sink.out]",
        wrong: "[sink.count]",
        says: &["job.toml:13:7", "same name", "expected another name"],
    },
    Mistake {
        name: "an operator that is not built",
        right: "\"count.wasm\"",
        wrong: "\"ops/count/count.wasm\"",
        says: &["job.toml:11:13", "ops/count", "tidegate build ./ops/count"],
    },
];

/// Returns a directory with the job, in which `right` is replaced by `wrong`, and its input.
fn job(right: &str, wrong: &str) -> JobDirectory {
    assert!(JOB.contains(right), "`{right}` is not in the job file");
    let job = JobDirectory::new(&JOB.replacen(right, wrong, 1));
    job.write("clicks.jsonl", "{\"user\":\"a\"}\n{\"user\":\"b\"}\n");
    let count = guest("examples/word-count/operators/count");
    fs::copy(count, job.path().join("count.wasm")).expect("it can be copied");
    job
}

fn run(job: &JobDirectory) -> Finished {
    job.tidegate(&["run", "job.toml"])
}

#[test]
fn the_job_is_right_without_a_mistake() {
    let job = job("tsv", "tsv");
    job.tidegate(&["check", "job.toml"]).assert_succeeds();
    run(&job).assert_succeeds();
}

#[test]
fn mistakes_in_the_job_file_are_found_by_check_with_place_and_remedy() {
    for mistake in &IN_JOB_FILE {
        let job = job(mistake.right, mistake.wrong);
        let checked = job.tidegate(&["check", "job.toml"]);
        let found = mistake
            .says
            .iter()
            .all(|says| checked.stderr.contains(says));
        assert!(
            checked.code == Some(2) && found,
            "{}: {checked:#?}",
            mistake.name
        );
    }
}

#[test]
fn a_component_of_another_kind_is_named_with_the_way_to_a_right_one() {
    let module = job("tsv", "tsv");
    module.write("count.wasm", b"\0asm\x01\0\0\0");
    let says = ["job.toml:11:13", "./count.wasm", "`tidegate build`"];
    module
        .tidegate(&["check", "job.toml"])
        .assert_fails(8, &says);

    let nothing = job("tsv", "tsv");
    let empty = wat::parse_str("(component)").expect("it is a component");
    nothing.write("count.wasm", empty);
    let says = ["job.toml:11:13", "not an operator", "build it"];
    nothing
        .tidegate(&["check", "job.toml"])
        .assert_fails(8, &says);
}

#[test]
fn a_missing_input_is_named_at_the_start() {
    let job = job("\"clicks.jsonl\"", "\"click.jsonl\"");
    let checked = job.tidegate(&["check", "job.toml"]);
    let warned = &checked.assert_succeeds().stderr;
    assert!(
        warned.contains("\"click.jsonl\" matches no file"),
        "{warned}"
    );
    run(&job).assert_fails(2, &["job.toml:7:8", "\"click.jsonl\" matches no file"]);
}

#[test]
fn keyed_state_behind_an_input_without_partition_asks_for_it() {
    let job = job("[checkpoint]", "[defaults]\nparallelism = 2\n[checkpoint]");
    let text = fs::read_to_string(job.path().join("job.toml")).expect("it is there");
    job.write("job.toml", text.replace(", partition = \"hash\"", ""));
    let users: String = (0..20)
        .map(|i| format!("{{\"user\":\"u{i}\"}}\n"))
        .collect();
    job.write("clicks.jsonl", users);
    run(&job).assert_fails(1, &["`count`", "partition = \"hash\""]);
}

#[test]
fn a_line_that_is_no_record_is_named_with_the_way_to_continue() {
    let without = job("\"/user\"", "\"/usr\"");
    let remedy = ["on-invalid-record = \"dead-letter\"", "[source.clicks]"];
    run(&without).assert_fails(1, &["clicks.jsonl 0..13", "`/usr` is missing"]);
    run(&without).assert_fails(1, &remedy);

    let columns = job(
        "\"jsonl\"\nkey = { json = \"/user\" }",
        "\"csv\"\nkey = { column = \"usr\" }",
    );
    columns.write("clicks.jsonl", "user,page\na,1\n");
    run(&columns).assert_fails(1, &["clicks.jsonl", "no column `usr`"]);
}

#[test]
fn a_record_that_the_operator_rejects_is_named_with_the_way_to_continue() {
    let job = job("tsv", "tsv");
    let rejects = WatGuest::idle()
        .item("(data (i32.const 2048) \"no number\")")
        .export(
            "process",
            "(call $fail_record (i32.const 0) (i32.const 2048) (i32.const 9))",
        );
    job.write("count.wasm", rejects.component());
    let says = [
        "`count`",
        "no number",
        "key `a`",
        "on-invalid-record = \"dead-letter\"",
        "[operator.count]",
    ];
    run(&job).assert_fails(1, &says);
}

#[test]
fn an_operator_that_panics_is_named_with_its_message_and_the_record() {
    let job = job("tsv", "tsv");
    let panics = WatGuest::idle()
        .item(tidegate_tests::wat_guest::LOG)
        .item("(data (i32.const 2048) \"index 3 is out of range\")")
        .export(
            "process",
            "(call $log (i32.const 4) (i32.const 2048) (i32.const 23)) unreachable",
        );
    job.write("count.wasm", panics.component());
    run(&job).assert_fails(
        1,
        &["`count`", "index 3 is out of range", "record: key `a`"],
    );
}

#[test]
fn input_that_grew_and_options_that_changed_since_the_last_run_are_refused_by_name() {
    let job = job("tsv", "tsv");
    run(&job).assert_succeeds();
    job.write(
        "clicks.jsonl",
        "{\"user\":\"a\"}\n{\"user\":\"b\"}\n{\"user\":\"c\"}\n",
    );
    run(&job).assert_fails(
        3,
        &["clicks.jsonl has 13 more bytes", "start the job afresh"],
    );

    job.write("job.toml", JOB.replace("\"/user\"", "\"/id\""));
    run(&job).assert_fails(3, &["`clicks`", "/id", "--accept-changed clicks"]);
}

#[test]
fn output_of_another_run_is_named_with_the_ways_out() {
    let job = job("tsv", "tsv");
    run(&job).assert_succeeds();
    job.write("job.toml", JOB.replace("\"state\"", "\"state2\""));
    let says = ["job.toml:16:13", "job `clicks`", "Empty the directory"];
    run(&job).assert_fails(2, &says);
}

#[test]
fn a_start_that_names_no_checkpoint_says_which_there_are() {
    let job = job("tsv", "tsv");
    run(&job).assert_succeeds();
    let from = job.tidegate(&["run", "job.toml", "--from", "99"]);
    from.assert_fails(2, &["no checkpoint 99", "it has 0, 1"]);
    let stopped = job.tidegate(&["stop", "job.toml"]);
    stopped.assert_fails(5, &["no job runs on ./state"]);
}
