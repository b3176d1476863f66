//! The settings of an operator in a pyproject.toml.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::build::error::BuildError;
use crate::build::folder_of;
use crate::kit::python::KIT;

/// A project with an operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Project {
    /// The name, also of the component's file.
    pub(super) name: String,
    /// The module, and the operator's name in it.
    pub(super) operator: (String, String),
    /// The folder of its modules.
    pub(super) source: PathBuf,
    /// The folder of the SDK, if it is named.
    pub(super) sdk: Option<PathBuf>,
}

/// The parts of a pyproject.toml that matter here.
#[derive(Deserialize)]
struct Manifest {
    project: Option<Named>,
    tool: Option<Tools>,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

#[derive(Deserialize)]
struct Tools {
    tidegate: Option<Tidegate>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tidegate {
    operator: String,
    source: Option<PathBuf>,
    sdk: Option<PathBuf>,
}

impl Project {
    pub(super) fn read(manifest: &Path) -> Result<Self, BuildError> {
        let text = fs::read_to_string(manifest).map_err(|source| BuildError::Read {
            path: manifest.to_owned(),
            source,
        })?;
        Self::parse(&text, manifest)
    }

    fn parse(text: &str, manifest: &Path) -> Result<Self, BuildError> {
        let unusable = |reason: String| BuildError::Project {
            manifest: manifest.to_owned(),
            reason,
        };
        let read: Manifest =
            toml::from_str(text).map_err(|error| unusable(error.to_string().trim().to_owned()))?;
        let tidegate = read.tool.and_then(|tool| tool.tidegate);
        let tidegate = tidegate.ok_or_else(|| BuildError::NoComponent {
            manifest: manifest.to_owned(),
            remedy: KIT.export_remedy,
        })?;
        let name = read.project.map(|project| project.name);
        let name = name.ok_or_else(|| unusable("it has no `name` under `[project]`".to_owned()))?;
        // The name becomes a file name.
        if name.is_empty() || !name.chars().all(is_of_a_name) {
            return Err(unusable(format!(
                "`{}` is not a valid name",
                name.escape_debug()
            )));
        }
        let operator = parse_operator(&tidegate.operator).ok_or_else(|| {
            unusable(format!(
                "operator = \"{}\" is not `module:Class`",
                tidegate.operator.escape_debug()
            ))
        })?;
        let folder = folder_of(manifest);
        let source = match tidegate.source {
            Some(source) => folder.join(source),
            None if folder.join("src").is_dir() => folder.join("src"),
            None => folder.to_owned(),
        };
        Ok(Self {
            name,
            operator,
            source,
            sdk: tidegate.sdk.map(|sdk| folder.join(sdk)),
        })
    }
}

fn is_of_a_name(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '.')
}

/// Parses `package.module:Class`. Both parts become program text.
fn parse_operator(text: &str) -> Option<(String, String)> {
    let (module, name) = text.split_once(':')?;
    let is_fine = module.split('.').all(is_identifier) && is_identifier(name);
    is_fine.then(|| (module.to_owned(), name.to_owned()))
}

fn is_identifier(text: &str) -> bool {
    let mut characters = text.chars();
    let first = characters.next();
    first.is_some_and(|first| first.is_alphabetic() || first == '_')
        && characters.all(|character| character.is_alphanumeric() || character == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(tool: &str) -> Result<Project, String> {
        let text = format!("[project]\nname = \"count\"\n{tool}");
        let parsed = Project::parse(&text, Path::new("/p/pyproject.toml"));
        parsed.map_err(|error| error.to_string())
    }

    #[test]
    fn a_project_names_its_operator_and_may_name_its_folders() {
        assert_eq!(
            parse("[tool.tidegate]\noperator = \"a.b:C\"\nsource = \"lib\"\nsdk = \"../sdk\"\n"),
            Ok(Project {
                name: "count".to_owned(),
                operator: ("a.b".to_owned(), "C".to_owned()),
                source: "/p/lib".into(),
                sdk: Some("/p/../sdk".into()),
            })
        );
    }

    #[test]
    fn what_is_wrong_with_a_project_is_said() {
        for (tool, said) in [
            ("", "operator = \"module:Class\""),
            ("[tool.tidegate]\n", "missing field `operator`"),
            (
                "[tool.tidegate]\noperator = \"a\"\n",
                "\"a\" is not `module:Class`",
            ),
            (
                "[tool.tidegate]\noperator = \"a:B; import os\"\n",
                "is not `module:Class`",
            ),
            (
                "[tool.tidegate]\noperator = \"..a:B\"\n",
                "is not `module:Class`",
            ),
            (
                "[tool.tidegate]\noperators = \"a:B\"\n",
                "unknown field `operators`",
            ),
            ("[tool.tidegate\n", "pyproject.toml"),
        ] {
            let error = parse(tool).expect_err(tool);
            assert!(error.contains(said), "{tool}: {error}");
        }
        let named = Project::parse(
            "[project]\nname = \"../x\"\n[tool.tidegate]\noperator = \"a:B\"\n",
            Path::new("/p/pyproject.toml"),
        );
        let error = named.expect_err("it would be written elsewhere");
        assert!(
            error.to_string().contains("`../x` is not a valid name"),
            "{error}"
        );
    }
}
