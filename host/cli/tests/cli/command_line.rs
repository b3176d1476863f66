//! Commands that need no running job.

use serde_json::Value;

use crate::support::{COPY, JobDirectory, ended};

fn parallelism(json: &str) -> Vec<u64> {
    let graph: Value = serde_json::from_str(json).expect("it prints JSON");
    let nodes = graph["nodes"].as_array().expect("a graph has nodes");
    nodes
        .iter()
        .filter_map(|node| node["parallelism"].as_u64())
        .collect()
}

#[test]
fn check_says_ok_and_writes_nothing() {
    let directory = JobDirectory::new(COPY);
    let checked = directory.tidegate(&["check", "job.toml"]);
    assert_eq!(
        checked.stdout,
        "copy: ok, 2 nodes and 1 edges\ncosts: 2 subtask(s) in 1 chain(s), a thread each; \
         0 instance(s) of components, up to 0 B; 0 channel(s), up to 0 B\n"
    );
    assert_eq!((checked.code, checked.stderr.as_str()), (Some(0), ""));
    assert_eq!(directory.names(), ["job.toml"]);
}

#[test]
fn check_prints_problems_as_json_for_editors() {
    let directory = JobDirectory::new(&COPY.replace("to = 10", "too = 10"));
    let checked = directory.tidegate(&["check", "job.toml", "--json"]);
    let answer: Value = serde_json::from_str(&checked.stdout).expect("it prints JSON");
    assert_eq!(checked.code, Some(2));
    assert_eq!(answer["ok"], false);
    assert_eq!(answer["problems"][0]["line"], 6);
    assert_eq!(answer["problems"][0]["help"], "did you mean `to`?");
}

#[test]
fn flags_win_over_the_environment_and_that_over_the_job_file() {
    let directory =
        JobDirectory::new(&COPY.replace("\n[source", "\n[defaults]\nparallelism = 2\n[source"));
    let graph = |flags: &[&str], variable: Option<&str>| {
        let arguments: Vec<&str> = ["graph", "job.toml", "--json"]
            .iter()
            .chain(flags)
            .copied()
            .collect();
        let mut command = directory.command(&arguments);
        command.envs(variable.map(|value| ("TIDEGATE_PARALLELISM", value)));
        parallelism(&ended(&mut command).stdout)
    };
    assert_eq!(graph(&[], None), [2, 2]);
    assert_eq!(graph(&[], Some("3")), [3, 3]);
    assert_eq!(graph(&["--parallelism", "4"], Some("3")), [4, 4]);
}

#[test]
fn a_wish_of_the_environment_to_discard_output_needs_no_start_to_go_back_to() {
    let directory = JobDirectory::new(COPY);
    for wish in ["false", "true"] {
        let mut command = directory.command(&["run", "job.toml"]);
        let ran = ended(command.env("TIDEGATE_DISCARD_NEWER_OUTPUT", wish));
        assert_eq!(ran.code, Some(0), "{wish}: {ran:?}");
    }
    let asked = directory.tidegate(&["run", "job.toml", "--discard-newer-output"]);
    assert!(asked.stderr.contains("--from PATH"), "{asked:?}");
    assert_eq!(asked.code, Some(2));
}

#[test]
fn a_format_on_the_command_line_wins_over_json_in_the_environment() {
    let directory = JobDirectory::new(COPY);
    let mut command = directory.command(&["graph", "job.toml", "--format", "mermaid"]);
    let shown = ended(command.env("TIDEGATE_JSON", "1"));
    assert!(shown.stdout.starts_with("flowchart LR\n"), "{shown:?}");
}

#[test]
fn switches_in_the_environment_can_be_off() {
    let directory = JobDirectory::new(COPY);
    let mut command = directory.command(&["graph", "job.toml"]);
    let shown = ended(command.env("TIDEGATE_JSON", "0"));
    assert!(
        shown.stdout.starts_with("copy, max-parallelism 128\n"),
        "{shown:?}"
    );
    let mut command = directory.command(&["graph", "job.toml"]);
    let refused = ended(command.env("TIDEGATE_JSON", "maybe"));
    assert_eq!(refused.code, Some(2), "{refused:?}");
}

/// Text in job files, flags and the environment that is not a duration, and the error's wording.
const NO_DURATIONS: [(&str, &str); 5] = [
    ("18446744073709551615s 1000000000ns", "longer than a year"),
    ("18446744073709551616s", "longer than a year"),
    ("1M", "write `m` for minutes"),
    ("1y", "write `m` for minutes"),
    ("soon", "a number was expected at 's'"),
];

#[test]
fn a_duration_that_is_too_long_or_has_a_month_is_refused_wherever_it_stands() {
    let place = JobDirectory::new(COPY);
    for (text, reason) in NO_DURATIONS {
        let checkpoint = format!("\n[checkpoint]\ninterval = \"{text}\"\n\n[source");
        place.write("long.toml", COPY.replace("\n[source", &checkpoint));
        let job_file = place.tidegate(&["check", "long.toml"]);
        let flag = place.tidegate(&["stop", "job.toml", "--timeout", text]);
        let mut variable = place.command(&["stop", "job.toml"]);
        let variable = ended(variable.env("TIDEGATE_TIMEOUT", text));
        let run_flag = place.tidegate(&["run", "job.toml", "--stop-timeout", text]);
        let mut run_variable = place.command(&["run", "job.toml"]);
        let run_variable = ended(run_variable.env("TIDEGATE_STOP_TIMEOUT", text));
        for refused in [job_file, flag, variable, run_flag, run_variable] {
            assert_eq!(refused.code, Some(2), "{text}: {refused:?}");
            assert!(refused.stderr.contains(reason), "{text}: {refused:?}");
        }
    }
}

/// The commands that have flags.
const COMMANDS: [&str; 20] = [
    "run",
    "savepoint",
    "stop",
    "cancel",
    "status",
    "check",
    "graph",
    "checkpoint list",
    "checkpoint inspect",
    "checkpoint verify",
    "checkpoint diff",
    "schema",
    "completions",
    "man",
    "new",
    "sdk update",
    "doctor",
    "build",
    "test",
    "dev",
];

#[test]
fn an_empty_variable_counts_as_unset_for_every_flag() {
    let directory = JobDirectory::new(COPY);
    let variables = [
        "LOG",
        "FROM",
        "FRESH",
        "DISCARD_NEWER_OUTPUT",
        "ACCEPT_CHANGED",
        "MOVE_INPUT",
        "BACKTRACE",
        "BUILD",
        "FIX",
        "VERBOSE",
        "TEMPLATE",
        "JOB_ONLY",
        "YES",
        "PARALLELISM",
        "ALLOW_DROPPED_STATE",
        "QUIET",
        "NO_CODE_CACHE",
        "SAVEPOINT",
        "DRAIN",
        "FORMAT",
        "JSON",
        "DRILL",
        "SCENARIO",
        "TIMEOUT",
        "STOP_TIMEOUT",
        "DEBUG_INFO",
        "LANG",
        "SDK",
        "OUT",
        "NO_BUILD",
        "TARGET_DIR",
        "OFFLINE",
        "DISCARD_CHANGES",
        "FIX",
        "VERBOSE",
    ];
    for command in COMMANDS {
        let arguments: Vec<&str> = command.split(' ').chain(["--help"]).collect();
        let help = directory.tidegate(&arguments).stdout;
        for variable in help.split("[env: TIDEGATE_").skip(1) {
            let name = variable.split('=').next().unwrap_or_default();
            assert!(
                variables.contains(&name),
                "{command}: {name} is not tried here"
            );
        }
    }
    for arguments in [
        &["check", "job.toml"][..],
        &["graph", "job.toml"],
        &["run", "job.toml"],
        &["stop", "job.toml"],
        &["checkpoint", "verify", "state"],
        &["schema"],
    ] {
        let without = directory.tidegate(arguments);
        let mut command = directory.command(arguments);
        let empty = variables.map(|name| (format!("TIDEGATE_{name}"), ""));
        let with = ended(command.envs(empty));
        assert_eq!(with.code, without.code, "{arguments:?}: {with:?}");
        assert_eq!(with.stdout, without.stdout, "{arguments:?}");
    }
}

#[test]
fn the_schema_is_json() {
    let directory = JobDirectory::new(COPY);
    let printed = directory.tidegate(&["schema"]);
    let schema: Value = serde_json::from_str(&printed.stdout).expect("it prints JSON");
    assert_eq!(schema["title"], "Tidegate job file");
    assert_eq!(printed.code, Some(0));
    let printed = directory.tidegate(&["schema", "--scenario"]);
    let schema: Value = serde_json::from_str(&printed.stdout).expect("it prints JSON");
    assert_eq!(schema["title"], "Tidegate scenario");
}

#[test]
fn completions_are_for_the_binary() {
    let directory = JobDirectory::new(COPY);
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let printed = directory.tidegate(&["completions", shell]);
        assert!(printed.stdout.contains("TIDEGATE_COMPLETE"), "{shell}");
        assert_eq!(printed.code, Some(0), "{shell}");
    }
}

/// Asks as the script for fish does: the last word is the one to complete.
fn completed(directory: &JobDirectory, words: &[&str]) -> Vec<String> {
    let words: Vec<&str> = ["--", "tidegate"].iter().chain(words).copied().collect();
    let mut command = directory.command(&words);
    let answer = ended(command.env("TIDEGATE_COMPLETE", "fish"));
    assert_eq!(answer.code, Some(0), "{answer:?}");
    let values = answer.stdout.lines().map(|line| line.split('\t').next());
    values
        .map(|value| value.unwrap_or_default().to_owned())
        .collect()
}

#[test]
fn completions_know_the_checkpoints_savepoints_and_operators_of_the_job() {
    let directory = JobDirectory::new(COPY);
    assert!(completed(&directory, &["run", "--fr"]).contains(&"--from".to_owned()));
    let nothing = completed(
        &directory,
        &["run", "nothing.toml", "--allow-dropped-state", ""],
    );
    assert_eq!(nothing, [""; 0]);
    let run = directory.tidegate(&["run", "job.toml", "--quiet"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    let ids = directory.tidegate(&["checkpoint", "list", "state", "--json"]);
    let ids: Value = serde_json::from_str(&ids.stdout).expect("it prints JSON");
    let newest = ids
        .as_array()
        .and_then(|ids| ids.last())
        .map(|last| &last["checkpoint"]);
    let newest = newest.expect("the job has a checkpoint").to_string();
    let starts = completed(&directory, &["run", "job.toml", "--from", ""]);
    assert_eq!(starts.first(), Some(&newest));
    assert!(starts.contains(&"state/".to_owned()), "{starts:?}");
    let manifest = format!("state/checkpoints/{newest}");
    let inspected = completed(&directory, &["checkpoint", "inspect", "state/ch"]);
    assert!(inspected.contains(&manifest), "{inspected:?}");
    let dropped = completed(
        &directory,
        &["run", "job.toml", "--allow-dropped-state", ""],
    );
    assert_eq!(dropped, [""; 0], "the job has no operator");
}

#[test]
fn every_command_has_an_example() {
    let directory = JobDirectory::new(COPY);
    for command in COMMANDS {
        let arguments: Vec<&str> = command.split(' ').chain(["--help"]).collect();
        let help = directory.tidegate(&arguments).stdout;
        assert!(help.contains("\nExample"), "{command}: {help}");
    }
}

#[test]
fn every_command_has_a_man_page() {
    let directory = JobDirectory::new(COPY);
    let written = directory.tidegate(&["man", "share/man1"]);
    assert_eq!(written.code, Some(0), "{written:?}");
    let groups = ["", "checkpoint", "sdk"].iter();
    let mut expected: Vec<String> = groups
        .chain(&COMMANDS)
        .map(|command| format!("tidegate {command}"))
        .map(|command| format!("share/man1/{}.1", command.trim().replace(' ', "-")))
        .collect();
    expected.sort();
    let mut printed: Vec<&str> = written.stdout.lines().collect();
    printed.sort_unstable();
    assert_eq!(printed, expected);
    for page in printed {
        let text = std::fs::read_to_string(directory.path().join(page)).expect("it is there");
        assert!(text.contains("\n.SH SYNOPSIS\n"), "{page}: {text}");
    }
    let run = directory.path().join("share/man1/tidegate-run.1");
    let run = std::fs::read_to_string(run).expect("it is there");
    assert!(run.contains("\\-\\-stop\\-timeout"), "{run}");
    assert!(run.contains("tidegate run job.toml"), "{run}");
}

#[test]
fn man_pages_that_can_not_be_written_are_named() {
    let directory = JobDirectory::new(COPY);
    let refused = directory.tidegate(&["man", "job.toml"]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.stderr.contains("create job.toml"), "{refused:?}");
}

#[test]
fn wrong_usage_has_exit_code_2() {
    let directory = JobDirectory::new(COPY);
    for arguments in [
        &["rnu", "job.toml"][..],
        &["run", "job.toml", "--parallelism", "0"],
        &["run", "job.toml", "--fresh", "--from", "x"],
        &["stop", "job.toml", "--timeout", "soon"],
        &["check", "job.toml", "--log", "a=b=c"],
    ] {
        assert_eq!(directory.tidegate(arguments).code, Some(2), "{arguments:?}");
    }
    assert_eq!(directory.names(), ["job.toml"]);
}

#[test]
fn a_command_that_only_reads_a_job_reads_job_toml_if_none_is_named() {
    let directory = JobDirectory::new(COPY);
    for command in ["check", "graph", "run"] {
        let without = directory.tidegate(&[command]);
        assert_eq!(without.code, Some(0), "{without:?}");
    }
}

#[test]
fn without_a_running_job_commands_for_it_have_exit_code_5() {
    let directory = JobDirectory::new(COPY);
    for arguments in [
        &["status", "job.toml"][..],
        &["cancel", "job.toml"],
        &["stop", "job.toml", "--timeout", "1s"],
        &["savepoint", "job.toml", "here"],
    ] {
        let refused = directory.tidegate(arguments);
        assert_eq!(refused.code, Some(5), "{arguments:?}");
        assert_eq!(
            refused.stderr, "error: no job runs on ./state\n",
            "{arguments:?}"
        );
    }
    assert_eq!(directory.names(), ["job.toml"]);
}

#[test]
fn a_path_without_checkpoints_has_exit_code_3() {
    let directory = JobDirectory::new(COPY);
    for command in ["list", "inspect", "verify", "diff"] {
        let refused = directory.tidegate(&["checkpoint", command, "nowhere"]);
        assert_eq!(refused.code, Some(3), "{command}: {refused:?}");
    }
}
