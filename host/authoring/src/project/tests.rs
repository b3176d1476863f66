//! Tests of names, refusals, and written files.

use std::fs;
use std::path::Path;

use super::sdk::Sdk;
use super::{Language, NewOperator, NewProject, NewProjectError, Template, update_sdk, write};

fn project(name: &str) -> NewProject {
    project_in(Language::Rust, name)
}

fn project_in(language: Language, name: &str) -> NewProject {
    let operator = NewOperator {
        language,
        template: Template::KeyedState,
        sdk: None,
    };
    NewProject {
        name: name.to_owned(),
        operator: Some(operator),
    }
}

fn job(name: &str) -> NewProject {
    NewProject {
        name: name.to_owned(),
        operator: None,
    }
}

/// Returns a placeholder in a text. Two braces alone are also part of Go.
fn placeholder(text: &str) -> Option<&str> {
    let mut parts = text.split("{{").skip(1);
    parts.find_map(|after| {
        let (word, _) = after.split_once("}}")?;
        word.chars().all(|c| c.is_ascii_lowercase()).then_some(word)
    })
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
        for language in [Language::C, Language::Cpp] {
            let written = write(&project_in(language, name), directory.path());
            let refused = written.expect_err("it is no name of a target");
            assert!(refused.to_string().contains(reason), "{name}: {refused}");
        }
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
            "total/.gitignore",
            "total/Cargo.toml",
            "total/README.md",
            "total/expected.txt",
            "total/input/sales.csv",
            "total/job.toml",
            "total/src/lib.rs",
            "total/tests/scenario.toml",
        ]
    );
    for file in &written.files {
        let text = fs::read_to_string(file).expect("it was written");
        assert_eq!(placeholder(&text), None, "{}", file.display());
    }
}

#[test]
fn the_sdk_is_where_the_user_says_and_must_be_one() {
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let mut project = project("total");
    let operator = project.operator.as_mut().expect("it has one");
    operator.sdk = Some("sdk".into());
    let refused = write(&project, directory.path()).err();
    assert!(matches!(refused, Some(NewProjectError::NoSdk { .. })));
    assert_eq!(entries(directory.path()), 0);
    let sdk = directory.path().join("sdk");
    fs::create_dir(&sdk).expect("a folder can be made");
    fs::write(sdk.join("Cargo.toml"), "name = \"tidegate-sdk\"\n").expect("it can be written");
    let written = write(&project, directory.path()).expect("it can be written");
    let sdk = fs::canonicalize(sdk).expect("it is there");
    assert_eq!(written.sdk, Some(Sdk::Folder(sdk)));
}

#[test]
fn a_folder_of_any_name_is_a_dependency() {
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

#[test]
fn a_project_names_no_path_of_the_machine_and_no_package_of_a_registry() {
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let here = directory.path().to_string_lossy().into_owned();
    for (number, language) in Language::ALL.into_iter().enumerate() {
        let project = project_in(language, &format!("total{number}"));
        let written = write(&project, directory.path()).expect("it can be written");
        assert_eq!(written.sdk, Some(Sdk::Copied));
        let folder = directory.path().join(&project.name);
        let manifest = fs::read_to_string(folder.join(language.manifest())).expect("is text");
        let dependency = language.kit().sdk.copied;
        assert!(manifest.contains(dependency), "{manifest}");
        for file in &written.files {
            let text = fs::read_to_string(file).expect("it was written");
            assert!(!text.contains(&here), "{}: {text}", file.display());
        }
    }
}

#[test]
fn every_template_is_written_in_every_language_without_a_placeholder() {
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    for language in Language::ALL {
        for template in Template::ALL {
            let name = format!("{}-{}", language.kit().folder, template.name());
            let mut project = project_in(language, &name);
            let operator = project.operator.as_mut().expect("it has one");
            operator.template = template;
            let written = write(&project, directory.path()).expect("it can be written");
            let folder = directory.path().join(&name);
            for file in [
                "job.toml",
                "expected.txt",
                "tests/scenario.toml",
                ".gitignore",
            ] {
                assert!(folder.join(file).is_file(), "{name}: {file}");
            }
            for file in &written.files {
                let text = fs::read_to_string(file).expect("it was written");
                assert_eq!(placeholder(&text), None, "{}", file.display());
            }
        }
    }
}

#[test]
fn a_job_without_an_operator_needs_no_sdk_and_takes_any_name_of_a_job() {
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    // A crate can't have this name.
    let written = write(&job("fn"), directory.path()).expect("it can be written");
    assert_eq!(written.sdk, None);
    let folder = directory.path().join("fn");
    let text = fs::read_to_string(folder.join("job.toml")).expect("it was written");
    assert!(text.contains("name = \"fn\""), "{text}");
    assert_eq!(placeholder(&text), None, "{text}");
    assert!(!folder.join("sdk").exists());
    let refused = write(&job("a b"), directory.path()).expect_err("it is no name");
    assert!(refused.to_string().contains("1 to 64"), "{refused}");
}

/// Writes a project and returns its folder.
fn written(directory: &Path) -> std::path::PathBuf {
    write(&project("total"), directory).expect("it can be written");
    directory.join("total")
}

#[test]
fn an_update_replaces_the_files_of_the_sdk_and_no_others() {
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let folder = written(directory.path());
    // A file that another version had, unchanged since.
    let stamp = folder.join("sdk/TIDEGATE_SDK");
    let text = fs::read_to_string(&stamp).expect("it was written");
    let old = text.replacen(env!("CARGO_PKG_VERSION"), "0.0.1", 1);
    let digest = blake3::hash(b"old").to_hex();
    fs::write(&stamp, format!("{old}{digest}  src/old.rs\n")).expect("can be written");
    fs::write(folder.join("sdk/src/old.rs"), "old").expect("can be written");
    fs::write(folder.join("sdk/mine"), "mine").expect("can be written");
    let updated = update_sdk(&folder, false).expect("nothing was changed");
    assert_eq!(updated.before, "0.0.1");
    assert_eq!(updated.now, env!("CARGO_PKG_VERSION"));
    assert_eq!(fs::read_to_string(&stamp).expect("is there"), text);
    assert!(!folder.join("sdk/src/old.rs").exists());
    assert!(folder.join("sdk/mine").exists());
}

#[test]
fn an_update_refuses_to_discard_changes() {
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let folder = written(directory.path());
    let library = folder.join("sdk/src/lib.rs");
    for change in [Some("// mine"), None] {
        match change {
            Some(text) => fs::write(&library, text).expect("can be written"),
            None => fs::remove_file(&library).expect("can be removed"),
        }
        let refused = update_sdk(&folder, false)
            .expect_err("it was changed")
            .to_string();
        assert!(refused.contains("sdk/src/lib.rs` was changed"), "{refused}");
        update_sdk(&folder, true).expect("the user says so");
        assert!(fs::read_to_string(&library).is_ok_and(|text| text.starts_with("//!")));
    }
}

#[test]
fn an_update_keeps_the_language_and_the_files_of_the_author() {
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let project = project_in(Language::Go, "total");
    write(&project, directory.path()).expect("it can be written");
    let folder = directory.path().join("total");
    fs::write(folder.join("Cargo.toml"), "").expect("can be written");
    update_sdk(&folder, false).expect("nothing was changed");
    assert!(folder.join("sdk/go.mod").exists());
    assert!(!folder.join("sdk/Cargo.toml").exists());
    // A file that the SDK did not have before.
    let stamp = folder.join("sdk/TIDEGATE_SDK");
    let text = fs::read_to_string(&stamp).expect("it was written");
    let without = text.lines().filter(|line| !line.ends_with("  README.md"));
    let without: Vec<&str> = without.collect();
    fs::write(&stamp, without.join("\n")).expect("can be written");
    fs::write(folder.join("sdk/README.md"), "mine").expect("can be written");
    let refused = update_sdk(&folder, false).expect_err("it is the author's");
    assert!(refused.to_string().contains("sdk/README.md"), "{refused}");
    let kept = fs::read_to_string(folder.join("sdk/README.md"));
    assert_eq!(kept.expect("is there"), "mine");
}

#[test]
fn an_update_needs_a_project_with_a_copy() {
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let refusal = |folder: &Path| {
        let refused = update_sdk(folder, true).expect_err("there is no copy");
        refused.to_string()
    };
    assert!(refusal(directory.path()).contains("expected one of Cargo.toml, "));
    let folder = written(directory.path());
    fs::remove_file(folder.join("sdk/TIDEGATE_SDK")).expect("can be removed");
    assert!(refusal(&folder).contains("not a copy of the SDK"));
    let library = folder.join("sdk/src/lib.rs");
    assert!(library.exists(), "nothing is removed");
}
