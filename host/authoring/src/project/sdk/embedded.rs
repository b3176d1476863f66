//! The SDK of each language, as it was when this binary was built. Pure.

use std::borrow::Cow;

use toml::{Table, Value};

use crate::language::Language;

include!(concat!(env!("OUT_DIR"), "/sdk_files.rs"));

/// The path that the SDK in Rust has to the interface in the sources, and in a copy.
const WIT_PATHS: [&str; 2] = ["path: \"../../wit\"", "path: \"wit\""];

/// A file of a copy: its path, and its text.
pub(super) type File = (&'static str, Cow<'static, str>);

/// Returns the files of an SDK.
pub(super) fn files(language: Language) -> Vec<File> {
    let files = match language {
        Language::Rust => RUST,
        Language::C | Language::Cpp => C,
        Language::Python => PYTHON,
        Language::Go => GO,
        Language::JavaScript | Language::TypeScript => JAVASCRIPT,
    };
    let copied = files.iter().map(|(path, text)| (*path, Cow::from(*text)));
    match language {
        Language::Rust => rust(copied.collect()),
        Language::JavaScript | Language::TypeScript => javascript(copied.collect()),
        Language::C | Language::Cpp | Language::Python | Language::Go => copied.collect(),
    }
}

/// Makes the SDK in Rust independent of the workspace of its sources.
fn rust(mut files: Vec<File>) -> Vec<File> {
    let [in_sources, in_copy] = WIT_PATHS;
    let bindings = files
        .iter_mut()
        .find(|(path, _)| *path == "src/bindings.rs");
    if let Some((_, text)) = bindings {
        *text = text.replace(in_sources, in_copy).into();
    }
    files.push(("Cargo.toml", manifest(RUST_MANIFEST).into()));
    files.push((
        "key-groups/Cargo.toml",
        manifest(KEY_GROUPS_MANIFEST).into(),
    ));
    files
}

/// Removes what only the checks of the SDK need: npm would install it into the author's project.
fn javascript(mut files: Vec<File>) -> Vec<File> {
    let manifest = files.iter_mut().find(|(path, _)| *path == "package.json");
    if let Some((_, text)) = manifest {
        let parsed = serde_json::from_str(text);
        let mut manifest: serde_json::Map<_, _> = parsed.expect("npm has read the manifest");
        manifest.remove("devDependencies");
        manifest.remove("scripts");
        *text = format!("{:#}\n", serde_json::Value::Object(manifest)).into();
    }
    files
}

/// Returns a manifest with all that it takes from the workspace written out, and without the
/// dependencies of tests.
fn manifest(member: &str) -> String {
    let parse = |text: &str| text.parse::<Table>().expect("cargo has read the manifest");
    let (mut member, root) = (parse(member), parse(WORKSPACE_MANIFEST));
    let workspace = &root["workspace"];
    member.remove("dev-dependencies");
    member.insert("lints".to_owned(), workspace["lints"].clone());
    for section in ["package", "dependencies"] {
        let own = member.get_mut(section).and_then(Value::as_table_mut);
        for (key, value) in own.into_iter().flatten() {
            if key == "tidegate-key-groups" {
                *value = Table::from_iter([("path".to_owned(), "key-groups".into())]).into();
            } else if value.get("workspace").is_some() {
                *value = workspace[section][key.as_str()].clone();
            }
        }
    }
    member.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sdk_has_its_manifest_and_no_file_twice() {
        for language in Language::ALL {
            let files = files(language);
            let mut paths: Vec<&str> = files.iter().map(|(path, _)| *path).collect();
            assert!(paths.contains(&language.manifest()), "{language:?}");
            assert!(paths.contains(&"README.md"), "{language:?}");
            let is_test = |path: &&str| path.starts_with("tests/") || path.ends_with("_test.go");
            assert_eq!(paths.iter().find(|path| is_test(path)), None);
            paths.sort_unstable();
            let count = paths.len();
            paths.dedup();
            assert_eq!(paths.len(), count, "{language:?}");
            assert!(count > 15, "{language:?}: {paths:?}");
        }
    }

    #[test]
    fn the_sdk_in_javascript_has_no_tools_of_its_checks() {
        let files = files(Language::JavaScript);
        let manifest = files.iter().find(|(path, _)| *path == "package.json");
        let manifest = &manifest.expect("it has a manifest").1;
        assert!(!manifest.contains("typescript"), "{manifest}");
        assert!(manifest.contains("componentize-qjs"), "{manifest}");
    }

    #[test]
    fn nothing_of_the_sdk_in_rust_leads_out_of_it() {
        for (path, text) in files(Language::Rust) {
            let is_manifest = path.ends_with("Cargo.toml");
            assert!(
                !is_manifest || !text.contains("workspace"),
                "{path}: {text}"
            );
            assert!(!text.contains("\"../../"), "{path}");
        }
        let manifest = manifest(RUST_MANIFEST);
        let version = format!("version = \"{}\"", env!("CARGO_PKG_VERSION"));
        for part in [
            version.as_str(),
            "edition = ",
            "path = \"key-groups\"",
            "[lints.",
        ] {
            assert!(manifest.contains(part), "{part}: {manifest}");
        }
    }
}
