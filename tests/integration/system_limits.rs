//! Jobs that exceed the system's resources are refused before anything starts, with the numbers and
//! a remedy; jobs that fit are not.

use std::fmt::Write as _;

use tidegate_tests::{JobDirectory, Running, WatGuest, tidegate_command};

/// Returns a job with nodes of `parallelism` subtasks, which start at 0 and are chained.
fn job(operators: u32, parallelism: u32, limits: &str) -> JobDirectory {
    let mut text = format!(
        "version = 1\nname = \"room\"\n\
         [defaults]\nparallelism = {parallelism}\nmax-parallelism = 32768\n\
         [checkpoint]\ndirectory = \"state\"\n[restart]\nstrategy = \"none\"\n"
    );
    for index in 0..operators {
        write!(
            text,
            "[source.in{index}]\nconnector = \"generator\"\nto = 10\n\
             [operator.guest{index}]\ncomponent = \"guest.wasm\"\n\
             inputs = [{{ from = \"in{index}\", partition = \"forward\" }}]\n\
             limits = {{ {limits} }}\n\
             [sink.out{index}]\nconnector = \"discard\"\n\
             inputs = [{{ from = \"guest{index}\", partition = \"forward\" }}]\n"
        )
        .expect("a string can be written");
    }
    let job = JobDirectory::new(&text);
    job.write("guest.wasm", WatGuest::idle().component());
    job
}

fn system(setting: &str) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/sys/{setting}")).expect("Linux has it");
    text.trim().parse().expect("it is a number")
}

/// Asserts that `check` and `run` refuse the job with exit code 2, and write nothing.
#[track_caller]
fn assert_no_room(job: &JobDirectory, fragments: &[&str]) {
    let before = job.listing();
    for command in ["check", "run"] {
        job.tidegate(&[command, "job.toml"])
            .assert_fails(2, fragments);
    }
    assert_eq!(job.listing(), before);
}

#[test]
fn sixty_four_memories_times_six_hundred_subtasks_are_refused_with_the_numbers() {
    // More subtasks where the system allows more mappings than usual.
    let allowed = system("vm/max_map_count");
    let times = u32::try_from(allowed / 65_530 + 1).expect("it is small");
    let job = job(times, 600, "memories = 64");
    job.write(
        "guest.wasm",
        WatGuest::idle()
            .item(&"(memory 1)\n".repeat(63))
            .component(),
    );
    let instances = format!("{} operator instances need", 600 * times);
    let limit = format!("`vm.max_map_count` allows {allowed}");
    assert_no_room(
        &job,
        &[
            &instances,
            "mappings of memory",
            &limit,
            "sysctl -w vm.max_map_count=",
        ],
    );
}

#[test]
fn a_component_with_more_memories_than_its_operator_may_have_is_refused_by_name() {
    let job = job(1, 1, "");
    job.write(
        "guest.wasm",
        WatGuest::idle()
            .item(&"(memory 1)\n".repeat(63))
            .component(),
    );
    let fragments = [
        "guest.wasm",
        "has 64 memories; its operator may have 8",
        "raise `memories`",
    ];
    job.tidegate(&["check", "job.toml"])
        .assert_fails(8, &fragments);
    job.tidegate(&["run", "job.toml"])
        .assert_fails(8, &fragments);
}

#[test]
fn fourteen_thousand_subtasks_of_a_harmless_guest_are_refused_with_the_numbers() {
    // More memories where the system allows more mappings than usual.
    let times = usize::try_from(system("vm/max_map_count") / 65_530).expect("it is small");
    let job = job(1, 14_000, "memories = 100");
    if times > 1 {
        let guest = WatGuest::idle().item(&"(memory 0)\n".repeat(2 * times));
        job.write("guest.wasm", guest.component());
    }
    let fragments = [
        "its 14000 chains and 14000 operator instances need",
        "allows",
        "are used",
        "lower `parallelism`",
    ];
    assert_no_room(&job, &fragments);
}

#[test]
fn a_thousand_subtasks_of_a_harmless_guest_run() {
    let job = job(1, 1_000, "");
    job.tidegate(&["run", "job.toml"]).assert_succeeds();
}

#[test]
fn too_little_address_space_is_named_with_what_to_set_and_the_operator_is_not_blamed() {
    let job = job(1, 4, "");
    // 8 GiB, where four memories reserve 16.
    let limited = ["prlimit", "--as=8589934592"];
    for command in ["check", "run"] {
        let command = tidegate_command(&limited, job.path(), &[command, "job.toml"]);
        let ended = Running::spawn(command).wait();
        let fragments = [
            "GiB of address space; `ulimit -v` allows 8 GiB",
            "`ulimit -v unlimited`",
        ];
        ended.assert_fails(2, &fragments);
        assert!(!ended.stderr.contains("operator `guest0`"), "{ended:#?}");
    }
    let roomy = ["prlimit", "--as=68719476736"];
    let command = tidegate_command(&roomy, job.path(), &["run", "job.toml"]);
    Running::spawn(command).wait().assert_succeeds();
}

/// Returns a job with `sinks` file sinks behind one source.
fn with_file_sinks(sinks: u32) -> JobDirectory {
    let mut text = "version = 1\nname = \"files\"\n[checkpoint]\ndirectory = \"state\"\n\
                    [source.in]\nconnector = \"generator\"\nto = 10\n"
        .to_owned();
    for index in 0..sinks {
        write!(
            text,
            "[sink.out{index}]\nconnector = \"file\"\ninputs = [{{ from = \"in\" }}]\n\
             directory = \"output/{index}\"\nformat = \"lines\"\n"
        )
        .expect("a string can be written");
    }
    JobDirectory::new(&text)
}

#[test]
fn a_job_with_more_files_than_may_be_open_is_refused_with_the_numbers_and_runs_with_enough() {
    let job = with_file_sinks(100);
    let before = job.listing();
    let run = |limit: &str, arguments: &[&str]| {
        Running::spawn(tidegate_command(&["prlimit", limit], job.path(), arguments)).wait()
    };
    for command in ["check", "run"] {
        let ended = run("--nofile=64:256", &[command, "job.toml"]);
        ended.assert_fails(
            2,
            &[
                "need up to",
                "open files; `ulimit -n` allows 256 open files",
                "`ulimit -Hn ",
            ],
        );
        assert!(!ended.stderr.contains("restart"), "{ended:#?}");
        assert_eq!(job.listing(), before);
    }
    // The limit that the message recommends is enough, and the soft limit is raised to it.
    let said = run("--nofile=64:256", &["run", "job.toml"]).stderr;
    let enough = said
        .split("`ulimit -Hn ")
        .nth(1)
        .and_then(|rest| rest.split('`').next());
    let enough: u32 = enough
        .and_then(|text| text.parse().ok())
        .expect("it is a number");
    let enough = format!("--nofile=64:{}", enough + 8);
    run(&enough, &["check", "job.toml"]).assert_succeeds();
    run(&enough, &["run", "job.toml"]).assert_succeeds();
}
