//! Job files that are large, deep or wrong in many places: the host computes the cost of a job
//! before running it, refuses with numbers what no machine can run, and limits its messages.

use std::fmt::Write as _;

use tidegate_tests::{JobDirectory, guest, published_lines};

/// Returns a job with a generator of `to` integers, operators that read from each other by
/// `forward`, and a file sink.
fn long_job(operators: usize, to: u64) -> String {
    let component = guest("tests/guests/hostile");
    let mut text = format!(
        "version = 1\nname = \"long\"\n[checkpoint]\ndirectory = \"state\"\n\
         [source.o0]\nconnector = \"generator\"\nto = {to}\n\
         [sink.out]\nconnector = \"file\"\ninputs = [{{ from = \"o{operators}\" }}]\n\
         directory = \"output\"\nformat = \"lines\"\n"
    );
    for nth in 1..=operators {
        let before = nth - 1;
        write!(
            text,
            "[operator.o{nth}]\ncomponent = \"c\"\ninputs = [{{ from = \"o{before}\" }}]\n\
             config = {{ behaviour = \"echo\" }}\n"
        )
        .expect("text can be written to");
    }
    text.replace("\"c\"", &format!("{:?}", component.display().to_string()))
}

/// Returns a directory with a [`long_job`] that fits the size limit of job files: the component is
/// a link with a short name.
fn long_job_directory(operators: usize, to: u64) -> JobDirectory {
    let component = guest("tests/guests/hostile");
    let path = format!("{:?}", component.display().to_string());
    let job = JobDirectory::new(&long_job(operators, to).replace(&path, "\"c\""));
    std::os::unix::fs::symlink(component, job.path().join("c")).expect("a link can be made");
    job
}

/// Returns a job with a source and a sink of `parallelism` subtasks, and a hash edge between them.
fn wide_job(parallelism: u32) -> String {
    format!(
        "version = 1\nname = \"wide\"\n[checkpoint]\ndirectory = \"state\"\n\
         [defaults]\nparallelism = {parallelism}\nmax-parallelism = 32768\n\
         [source.integers]\nconnector = \"generator\"\nto = 10\n\
         [sink.out]\nconnector = \"file\"\n\
         inputs = [{{ from = \"integers\", partition = \"hash\" }}]\n\
         directory = \"output\"\nformat = \"lines\"\n"
    )
}

#[test]
fn check_says_what_a_job_of_10_000_forward_operators_costs() {
    let job = long_job_directory(10_000, 10);
    let checked = job.tidegate(&["check", "job.toml"]);
    let said = &checked.assert_succeeds().stdout;
    let costs = "costs: 10002 subtask(s) in 157 chain(s), a thread each; 10000 instance(s) of \
                 components, up to 2.4 TiB; 156 channel(s), up to 156.0 MiB\n";
    assert!(said.contains(costs), "{}", &said[..said.len().min(500)]);
    let checked = job.tidegate(&["check", "job.toml", "--json"]);
    let answer: serde_json::Value =
        serde_json::from_str(&checked.assert_succeeds().stdout).expect("it is JSON");
    let expected = serde_json::json!({
        "subtasks": 10_002, "chains": 157, "instances": 10_000,
        "instance_bytes": 10_000u64 * (256 << 20),
        "channels": 156, "channel_bytes": 156 << 20,
    });
    assert_eq!(answer["cost"], expected);
}

#[test]
fn a_chain_of_1_500_forward_operators_overflows_no_stack() {
    let job = long_job_directory(1_500, 10);
    job.tidegate(&["run", "job.toml"]).assert_succeeds();
    let mut lines = published_lines(&job.path().join("output"));
    lines.sort_by_key(|line| line.parse::<u64>().expect("it is an integer"));
    let expected: Vec<String> = (1..=10).map(|integer: u64| integer.to_string()).collect();
    assert_eq!(lines, expected);
}

#[test]
fn parallelism_32_768_over_a_hash_edge_is_refused_with_its_channels_and_leaves_no_trace() {
    let job = JobDirectory::new(&wide_job(32_768));
    let before = job.listing();
    let expected = [
        "job.toml: the job has 1073741824 channels; it can have at most 1000000",
        "expected a smaller `parallelism`",
    ];
    job.tidegate(&["check", "job.toml"])
        .assert_fails(2, &expected);
    job.tidegate(&["run", "job.toml"])
        .assert_fails(2, &expected);
    assert_eq!(job.listing(), before, "something was written");
}

#[test]
fn of_60_000_problems_20_are_told_and_the_others_are_counted() {
    let mut text = wide_job(1);
    for nth in 0..60_000 {
        writeln!(text, "k{nth} = 1").expect("text can be written to");
    }
    let job = JobDirectory::new(&text);
    let refused = job.tidegate(&["check", "job.toml"]);
    refused.assert_fails(
        2,
        &["unknown key `k0`", "job.toml: and 59980 more problem(s)"],
    );
    assert!(
        refused.stderr.len() < 10_000,
        "{} bytes",
        refused.stderr.len()
    );
    let refused = job.tidegate(&["check", "job.toml", "--json"]);
    let answer: serde_json::Value = serde_json::from_str(&refused.stdout).expect("it is JSON");
    assert_eq!(answer["problems"].as_array().map(Vec::len), Some(20));
    assert_eq!(answer["more_problems"], 59_980);
}

#[test]
fn unknown_names_among_thousands_are_listed_in_part() {
    let mut text = long_job(2_000, 10);
    for nth in 0..2_000 {
        write!(
            text,
            "[sink.s{nth}]\nconnector = \"file\"\ninputs = [{{ from = \"unlike-all-others\" }}]\n\
             directory = \"d{nth}\"\nformat = \"lines\"\n"
        )
        .expect("text can be written to");
    }
    let job = JobDirectory::new(&text);
    let refused = job.tidegate(&["check", "job.toml"]);
    let expected = [
        "reads from `unlike-all-others`, which does not exist",
        " and 1981 others",
        "job.toml: and 1980 more problem(s)",
    ];
    refused.assert_fails(2, &expected);
    assert!(
        refused.stderr.len() < 20_000,
        "{} bytes",
        refused.stderr.len()
    );
}
