//! Operators in Go: builds that are the same everywhere, and the report of a panic.

use std::path::Path;

use tidegate_tests::{Finished, JobDirectory, guest, tidegate, workspace_root};

use super::scratch;

/// Runs a scenario against a guest that misbehaves as the value of its one record says.
fn faulty(value: &str, expectation: &str) -> Finished {
    faulty_with(value, expectation, &[])
}

/// Runs the scenario with further flags.
fn faulty_with(value: &str, expectation: &str, flags: &[&str]) -> Finished {
    let component = guest("guest-sdk/go/testdata/faulty");
    let directory = JobDirectory::new("");
    directory.write(
        "scenario.toml",
        format!(
            "version = 1\ncomponent = \"{}\"\n\
             [[step]]\nrecords = [{{ key = \"k\", value = \"{value}\" }}]\n{expectation}\n",
            component.display()
        ),
    );
    directory.tidegate(&[&["test", "scenario.toml"], flags].concat())
}

fn new_project(folder: &Path) -> Finished {
    tidegate(folder, &["new", "total", "--lang", "go"])
}

#[test]
fn the_same_sources_give_the_same_component_wherever_they_are() {
    let folders = ["go-here", "go/somewhere/else"].map(scratch);
    let components = folders.map(|folder| {
        new_project(&folder).assert_succeeds();
        let built = tidegate(&folder, &["build", "total", "--json"]);
        let says = &built.assert_succeeds().stdout;
        assert!(says.contains("tidegate:operator/operator@"), "{says}");
        assert!(!says.contains("wasi"), "{says}");
        std::fs::read(folder.join("total/total.wasm")).expect("it was built")
    });
    assert!(components[0] == components[1], "the components differ");
    let root = workspace_root();
    let root = root.to_string_lossy();
    let mut places = components[0].windows(root.len());
    assert!(
        !places.any(|bytes| bytes == root.as_bytes()),
        "the component says where its sources were"
    );
}

#[test]
fn what_does_not_compile_is_said_in_the_compilers_words() {
    let folder = scratch("go-wrong");
    new_project(&folder).assert_succeeds();
    std::fs::write(
        folder.join("total/wrong.go"),
        "package main\n\nvar wrong int = \"text\"\n",
    )
    .expect("it can be written");
    let built = tidegate(&folder, &["build", "total"]);
    assert_ne!(built.code, Some(0));
    for words in ["wrong.go:3:", "cannot use \"text\"", "was not built"] {
        assert!(built.stderr.contains(words), "no `{words}` in {built:#?}");
    }
}

#[test]
fn a_panic_is_shown_with_the_authors_own_lines() {
    for (behaviour, said, function) in [
        (
            "index",
            "panic: runtime error: index out of range [5] with length 2",
            "main.pick",
        ),
        (
            "nil map",
            "panic: assignment to entry in nil map",
            "main.init",
        ),
        (
            "error",
            "panic: *main.limitError: the limit is 3",
            "main.init",
        ),
    ] {
        let failed = faulty(behaviour, "");
        failed.assert_fails(7, &[]);
        let shown = &failed.stdout;
        for words in ["`process` trapped", said, function, " (faulty.go:"] {
            assert!(shown.contains(words), "no `{words}` in {failed:#?}");
        }
        for others in ["tidegate:operator/operator", "function ", "runtime."] {
            assert!(!shown.contains(&format!("at {others}")), "{failed:#?}");
        }
        assert!(!failed.stderr.contains("tidegate::guest"), "{failed:#?}");
    }
}

#[test]
fn the_functions_of_gos_runtime_are_shown_on_request() {
    let sleep = "time.Sleep";
    let own = faulty("sleep", "");
    assert!(!own.stdout.contains(sleep), "{own:#?}");
    let full = faulty_with("sleep", "", &["--backtrace", "full"]);
    full.assert_fails(7, &[]);
    assert!(full.stdout.contains(sleep), "{full:#?}");
}

/// Go's runtime ends the program by itself, and writes the reason in small pieces.
#[test]
fn what_go_can_not_recover_from_is_shown_too() {
    for (behaviour, said) in [
        ("panic in a goroutine", "panic: nobody catches it"),
        (
            "deadlock",
            "fatal error: all goroutines are asleep - deadlock!",
        ),
        ("sleep", "fatal error: poll_oneoff failed"),
        ("sleep", "\n    at main.init"),
        ("memory", "more memory than its limit of 256 MiB"),
        ("memory", "fatal error: out of memory"),
        ("too deep", "recursed too deeply"),
    ] {
        let failed = faulty(behaviour, "");
        failed.assert_fails(7, &[]);
        assert!(failed.stdout.contains(said), "no `{said}` in {failed:#?}");
    }
}

#[test]
fn an_error_blames_its_record_even_when_it_is_wrapped() {
    let invalid =
        |reason: &str| format!("expect-invalid-record = {{ row = 0, reason = \"{reason}\" }}");
    let not_a_number = invalid("the value is not a decimal number of type i64");
    faulty("wrapped", &not_a_number).assert_succeeds();
    faulty("nonsense", &invalid("no such behaviour")).assert_succeeds();
    let failed = |reason: &str| format!("expect-failure = \"{reason}\"");
    faulty("other", &failed("other words")).assert_succeeds();
    let no_port = failed("emitted to output port 7, but the operator has 1");
    faulty("port", &no_port).assert_succeeds();
}

#[test]
fn what_the_sandbox_lacks_is_deterministic_or_an_error() {
    let expect = |value: &str| format!("expect = [{{ key = \"k\", value = \"{value}\" }}]");
    for (behaviour, value) in [
        ("goroutine", "7"),
        ("now", "2000-01-01T00:00:00Z"),
        ("deep", "2000"),
    ] {
        faulty(behaviour, &expect(value)).assert_succeeds();
    }
    let printed = faulty("print", &expect("open /etc/passwd: Bad file number"));
    printed.assert_succeeds();
    for line in ["to standard output", "in 2 pieces"] {
        assert!(printed.stderr.contains(line), "no `{line}` in {printed:#?}");
    }
}
