//! Tests of names, refusals, and written files.

use std::fs;
use std::path::Path;

use super::sdk::Sdk;
use super::{Language, NewProject, NewProjectError, write};

fn project(name: &str) -> NewProject {
    NewProject {
        name: name.to_owned(),
        language: Language::Rust,
        sdk: None,
    }
}

fn refusal(name: &str, directory: &Path) -> String {
    let written = write(&project(name), directory);
    written.map_or_else(|error| error.to_string(), |_| String::new())
}

fn entries(directory: &Path) -> usize {
    fs::read_dir(directory).expect("it can be listed").count()
}

#[test]
fn names_that_cargo_or_the_job_file_would_refuse_are_refused() {
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let long = "x".repeat(65);
    for (name, reason) in [
        ("", "1 to 64"),
        (long.as_str(), "1 to 64"),
        ("two words", "1 to 64"),
        ("../up", "1 to 64"),
        ("a/b", "1 to 64"),
        (".", "1 to 64"),
        ("zähler", "1 to 64"),
        ("a\u{1b}[2J", "`a\\u{1b}[2J` can't be"),
        ("7up", "begins with a letter"),
        ("-x", "begins with a letter"),
        ("fn", "`fn-operator`"),
        ("test", "`test-operator`"),
        ("tidegate-sdk", "`tidegate-sdk-operator`"),
    ] {
        let said = refusal(name, directory.path());
        assert!(said.contains(reason), "{name}: {said}");
    }
    assert_eq!(entries(directory.path()), 0);
}

#[test]
fn names_that_cmake_would_refuse_are_refused() {
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    for (name, reason) in [
        ("7up", "begins with a letter"),
        ("test", "`test-operator`"),
        ("tidegate_sdk", "`tidegate_sdk-operator`"),
    ] {
        let mut project = project(name);
        project.language = Language::C;
        let refused = write(&project, directory.path()).expect_err("it is no name of a target");
        assert!(refused.to_string().contains(reason), "{name}: {refused}");
    }
    assert_eq!(entries(directory.path()), 0);
}

#[test]
fn what_is_there_is_never_overwritten() {
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let folder = directory.path().join("full");
    fs::create_dir(&folder).expect("a folder can be made");
    fs::write(folder.join("mine"), "x").expect("a file can be written");
    fs::write(directory.path().join("file"), "x").expect("a file can be written");
    for name in ["full", "file"] {
        let said = refusal(name, directory.path());
        assert!(said.contains("not an empty folder"), "{said}");
    }
    assert_eq!(entries(&folder), 1);
}

#[test]
fn an_empty_folder_is_filled_and_no_placeholder_is_left() {
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    fs::create_dir(directory.path().join("total")).expect("a folder can be made");
    let written = write(&project("total"), directory.path()).expect("it can be written");
    let names: Vec<_> = written
        .files
        .iter()
        .filter_map(|file| file.strip_prefix(directory.path()).ok())
        .map(|name| name.to_string_lossy().into_owned())
        .collect();
    assert_eq!(
        names,
        [
            "total/Cargo.toml",
            "total/src/lib.rs",
            "total/tests/scenario.toml",
            "total/.gitignore",
            "total/README.md"
        ]
    );
    for file in &written.files {
        let text = fs::read_to_string(file).expect("it was written");
        assert!(!text.contains("{{"), "{}", file.display());
    }
}

#[test]
fn the_sdk_is_where_the_user_says_and_must_be_one() {
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let mut project = project("total");
    project.sdk = Some("sdk".into());
    let refused = write(&project, directory.path()).err();
    assert!(matches!(refused, Some(NewProjectError::NoSdk { .. })));
    assert_eq!(entries(directory.path()), 0);
    let sdk = directory.path().join("sdk");
    fs::create_dir(&sdk).expect("a folder can be made");
    fs::write(sdk.join("Cargo.toml"), "name = \"tidegate-sdk\"\n").expect("it can be written");
    let written = write(&project, directory.path()).expect("it can be written");
    let sdk = fs::canonicalize(sdk).expect("it is there");
    assert_eq!(written.sdk, Sdk::Folder(sdk));
}

#[test]
fn without_a_checkout_the_sdk_is_that_of_the_registry() {
    let ours = env!("CARGO_PKG_VERSION");
    assert_eq!(
        Sdk::Registry(ours).dependency(Language::Rust),
        format!("\"{ours}\"")
    );
    let in_c = Sdk::Registry(ours).dependency(Language::C);
    assert_eq!(in_c, format!("{ours} REQUIRED"));
    let folder = Sdk::Folder("/a \"b\"".into());
    assert_eq!(
        folder.dependency(Language::C),
        "REQUIRED PATHS [=[/a \"b\"/cmake]=] NO_DEFAULT_PATH"
    );
    assert_eq!(
        folder.dependency(Language::Rust),
        r#"{ path = "/a \"b\"" }"#
    );
}
