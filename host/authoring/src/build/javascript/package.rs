//! The settings of an operator in a `package.json`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Deserialize;

use crate::build::error::BuildError;
use crate::language::Language;

/// The change that adds an operator to a package.
const REMEDY: &str = "add `\"tidegate\": { \"operator\": \"src/operator.js\" }`, or name the \
                      module in `\"main\"`";

/// A package with an operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Package {
    /// The name without the scope, also of the component's file.
    pub(super) name: String,
    /// The module with the operator, relative to the package.
    pub(super) entry: String,
    /// The packages that npm would install, each with its version or place.
    dependencies: BTreeMap<String, String>,
}

/// The relevant part of a manifest.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Manifest {
    name: Option<String>,
    main: Option<String>,
    tidegate: Option<Section>,
    #[serde(default)]
    dependencies: BTreeMap<String, String>,
    #[serde(default)]
    dev_dependencies: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Section {
    operator: String,
}

impl Package {
    /// Returns the folder of the SDK, relative to the package, if the package depends on this
    /// folder and on nothing else.
    pub(super) fn linked_sdk(&self) -> Option<&str> {
        let (name, place) = self.dependencies.first_key_value()?;
        let is_all = self.dependencies.len() == 1 && name == "@tidegate/sdk";
        place.strip_prefix("file:").filter(|_| is_all)
    }

    pub(super) fn read(path: &Path) -> Result<Self, BuildError> {
        let text = fs::read_to_string(path).map_err(|source| BuildError::Read {
            path: path.to_owned(),
            source,
        })?;
        Self::parse(&text, path)
    }

    /// Returns the language of the operator's module.
    pub(super) fn language(&self) -> Language {
        let extension = Path::new(&self.entry).extension();
        let is_typed = |extension| ["ts", "tsx", "mts", "cts"].iter().any(|e| extension == *e);
        match extension.is_some_and(is_typed) {
            true => Language::TypeScript,
            false => Language::JavaScript,
        }
    }

    fn parse(text: &str, path: &Path) -> Result<Self, BuildError> {
        let unreadable = |reason: String| BuildError::Project {
            manifest: path.to_owned(),
            reason,
        };
        let manifest: Manifest =
            serde_json::from_str(text).map_err(|error| unreadable(error.to_string()))?;
        let named = manifest.tidegate.map(|section| section.operator);
        let entry = named.or(manifest.main);
        let entry = entry.ok_or_else(|| BuildError::NoComponent {
            manifest: path.to_owned(),
            remedy: REMEDY,
        })?;
        let name = manifest.name.unwrap_or_default();
        let name = name.rsplit('/').next().unwrap_or_default();
        if name.is_empty() || name.starts_with('.') {
            return Err(unreadable("it has no `name` for the component".to_owned()));
        }
        let mut dependencies = manifest.dependencies;
        dependencies.extend(manifest.dev_dependencies);
        Ok(Self {
            name: name.to_owned(),
            entry: entry.trim_start_matches("./").to_owned(),
            dependencies,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Package, String> {
        let parsed = Package::parse(text, Path::new("package.json"));
        parsed.map_err(|error| error.to_string())
    }

    #[test]
    fn the_operator_is_what_the_section_says_or_else_the_main_module() {
        for (text, name, entry) in [
            (
                r#"{"name":"count","main":"src/count.js"}"#,
                "count",
                "src/count.js",
            ),
            (r#"{"name":"@us/count","main":"./a.ts"}"#, "count", "a.ts"),
            (
                r#"{"name":"count","main":"lib.js","tidegate":{"operator":"op.ts"}}"#,
                "count",
                "op.ts",
            ),
        ] {
            let package = Package {
                name: name.to_owned(),
                entry: entry.to_owned(),
                dependencies: BTreeMap::new(),
            };
            assert_eq!(parse(text), Ok(package), "{text}");
        }
    }

    #[test]
    fn npm_is_not_needed_for_a_package_that_depends_on_the_folder_of_the_sdk_only() {
        let sdk = |dependencies: &str| {
            let package = parse(&format!(r#"{{"name":"a","main":"a.js",{dependencies}}}"#));
            let package = package.expect("it is valid");
            package.linked_sdk().map(str::to_owned)
        };
        let own = r#""dependencies":{"@tidegate/sdk":"file:./sdk"}"#;
        assert_eq!(sdk(own).as_deref(), Some("./sdk"));
        for other in [
            r#""dependencies":{"@tidegate/sdk":"0.1.0"}"#,
            r#""dependencies":{"@tidegate/sdk":"file:sdk","ms":"2.1.3"}"#,
            r#""dependencies":{"ms":"file:./ms"}"#,
            r#""dependencies":{"@tidegate/sdk":"file:sdk"},"devDependencies":{"ms":"2.1.3"}"#,
            r#""dependencies":{}"#,
        ] {
            assert_eq!(sdk(other), None, "{other}");
        }
    }

    #[test]
    fn the_module_determines_the_language() {
        let language = |entry: &str| {
            let text = format!(r#"{{"name":"a","main":"{entry}"}}"#);
            parse(&text).map(|package| package.language())
        };
        assert_eq!(language("src/a.ts"), Ok(Language::TypeScript));
        assert_eq!(language("src/a.mts"), Ok(Language::TypeScript));
        assert_eq!(language("src/ts.js"), Ok(Language::JavaScript));
        assert_eq!(language("ts"), Ok(Language::JavaScript));
    }

    #[test]
    fn a_package_that_can_not_be_an_operator_says_what_is_missing() {
        for (text, says) in [
            ("{", "EOF"),
            (r#"{"name":"count"}"#, r#""operator""#),
            (r#"{"main":"a.js"}"#, "no `name`"),
            (r#"{"name":"@us/","main":"a.js"}"#, "no `name`"),
            (
                r#"{"name":"a","tidegate":{"entry":"a.js"}}"#,
                "unknown field `entry`",
            ),
        ] {
            let said = parse(text).expect_err("it is none");
            assert!(said.contains(says), "{text}: {said}");
        }
    }
}
