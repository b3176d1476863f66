//! Reports on a tool, for `tidegate doctor` and for the list of tools that a build used.

use std::path::PathBuf;

use serde::Serialize;
use tidegate_job_file::json;

use crate::language::Language;

/// The place where a tool was found, in the order in which a build looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// A variable of the environment names the tool.
    Environment,
    /// The project has it, in `node_modules` or `.venv`.
    Project,
    /// `tidegate doctor --fix` installed it.
    Tidegate,
    /// `make setup` installed it in the sources that the binary was built from.
    Checkout,
    /// The machine has it, on the `PATH` or where its installer puts it.
    Machine,
}

impl Origin {
    /// Returns a description for people.
    #[must_use]
    pub fn description(self) -> &'static str {
        match self {
            Self::Environment => "the environment",
            Self::Project => "the project",
            Self::Tidegate => "tidegate doctor",
            Self::Checkout => "make setup",
            Self::Machine => "the machine",
        }
    }
}

/// A program, and the place where it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) path: PathBuf,
    pub(crate) origin: Origin,
}

impl Found {
    pub(crate) fn new(path: impl Into<PathBuf>, origin: Origin) -> Self {
        Self {
            path: path.into(),
            origin,
        }
    }

    /// Returns the program as one that a build used.
    pub(crate) fn used(&self, tool: &str) -> UsedTool {
        UsedTool {
            tool: tool.to_owned(),
            path: self.path.clone(),
            found_in: self.origin,
        }
    }
}

/// A program that a build used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UsedTool {
    /// The name of the program.
    pub tool: String,
    /// Its path.
    #[serde(serialize_with = "json::path")]
    pub path: PathBuf,
    /// The place where it was found.
    pub found_in: Origin,
}

/// The state of a tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ToolState {
    /// A build can use it.
    Ready,
    /// The tool is there, and a build can't use this version.
    WrongVersion,
    /// The tool is missing, or does not work.
    Missing,
}

/// A tool that a language needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ToolReport {
    /// The language that needs the tool.
    pub language: Language,
    /// The name of the tool.
    pub tool: String,
    /// Whether a build can use it.
    pub state: ToolState,
    /// The version that was found.
    pub version: Option<String>,
    /// The path of the tool.
    #[serde(serialize_with = "path_or_none")]
    pub path: Option<PathBuf>,
    /// The place where it was found.
    pub found_in: Option<Origin>,
    /// The version that a build needs, for people, such as `20 or newer`.
    pub wanted: String,
    /// The command that installs it on this system, unless the tool is ready.
    pub remedy: Option<String>,
}

impl ToolReport {
    /// Returns the report of a tool that is missing.
    pub(crate) fn missing(language: Language, tool: &str, wanted: &str, remedy: String) -> Self {
        Self {
            language,
            tool: tool.to_owned(),
            state: ToolState::Missing,
            version: None,
            path: None,
            found_in: None,
            wanted: wanted.to_owned(),
            remedy: Some(remedy),
        }
    }

    /// Returns the report of a tool that a build can use.
    pub(crate) fn found(
        language: Language,
        tool: &str,
        wanted: &str,
        found: Found,
        version: Option<String>,
    ) -> Self {
        Self {
            language,
            tool: tool.to_owned(),
            state: ToolState::Ready,
            version,
            path: Some(found.path),
            found_in: Some(found.origin),
            wanted: wanted.to_owned(),
            remedy: None,
        }
    }

    /// Marks the version as one that a build can't use.
    pub(crate) fn with_wrong_version(mut self, remedy: String) -> Self {
        self.state = ToolState::WrongVersion;
        self.remedy = Some(remedy);
        self
    }
}

fn path_or_none<S: serde::Serializer>(
    path: &Option<PathBuf>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match path {
        Some(path) => json::path(path, serializer),
        None => serializer.serialize_none(),
    }
}
