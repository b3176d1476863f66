//! Reads and checks the components that operators name.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde::Serialize;
use tidegate_operator::{CodeCache, Component, Engine, Limits, RefusalCause, shown};
use toml::Spanned;

use super::document::{NodeEntry, OperatorEntry, PartEntry};
use crate::config_file::problem::{Problem, Problems, Span};
use crate::config_file::{ConfigFileError, regular_file};
use crate::json;

/// The component of an operator, as `check` shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ComponentSummary {
    /// The operator's name.
    pub operator: String,
    /// The path of the component: absolute, or relative in the same way as the job file's path.
    #[serde(serialize_with = "json::path")]
    pub path: PathBuf,
    /// The size of the component in bytes.
    pub bytes: u64,
    /// BLAKE3 of the component, in hexadecimal.
    pub digest: String,
    /// The imports by interface name.
    pub imports: Vec<String>,
    /// The exports by interface name.
    pub exports: Vec<String>,
}

/// The components of a job. Each is compiled once, however many operators use it.
pub struct Components {
    engine: Engine,
    compiled: Option<CodeCache>,
    by_path: BTreeMap<PathBuf, Component>,
    /// The refusal of the system that keeps this process from loading more components.
    not_loaded: Option<ConfigFileError>,
}

impl Components {
    /// Starts with no components.
    pub fn new(engine: Engine, compiled: Option<CodeCache>) -> Self {
        Self {
            engine,
            compiled,
            by_path: BTreeMap::new(),
            not_loaded: None,
        }
    }

    /// Returns true if the system refused a resource for loading.
    pub fn is_refused(&self) -> bool {
        self.not_loaded.is_some()
    }

    /// Takes the error of a component that the system refused to load and that may be fine. Callers
    /// check it before the problems.
    pub fn take_not_loaded(&mut self) -> Option<ConfigFileError> {
        self.not_loaded.take()
    }

    /// Returns the component at a path that a file names, checked and compiled. A missing or
    /// rejected component is reported where the file names it. A refusal of the system is not a
    /// problem of the file: see [`Self::take_not_loaded`].
    pub fn load(
        &mut self,
        base: &Path,
        named: &Spanned<String>,
        problems: &Problems,
    ) -> Option<Component> {
        let path = base.join(named.get_ref());
        if let Some(component) = self.by_path.get(&path) {
            return Some(component.clone());
        }
        match self.load_file(&path, &named.span()) {
            Ok(component) => {
                self.by_path.insert(path, component.clone());
                Some(component)
            }
            Err(Unloaded::Problem(problem)) => {
                problems.push(problem);
                None
            }
            Err(Unloaded::NotLoaded(error)) => {
                self.not_loaded = Some(error);
                None
            }
        }
    }

    /// Loads the component in a file, which the job file names at `place`.
    fn load_file(&self, path: &Path, place: &Span) -> Result<Component, Unloaded> {
        let bytes = read(path).map_err(|error| match error {
            Unread::Missing(error) => missing(place.clone(), path, &error),
            Unread::TooLarge { bytes } => {
                let limit = Limits::COMPONENT_BYTES;
                let reason = format!("it has {bytes} bytes; a component may have at most {limit}");
                let error = io::Error::other(reason);
                Problem::of_component(place.clone(), unreadable(path, &error))
            }
        })?;
        let shown_path = shown(path).to_string();
        let component = match &self.compiled {
            Some(cache) => Component::load_cached(&self.engine, &shown_path, &bytes, cache),
            None => Component::load(&self.engine, &shown_path, &bytes),
        };
        component.map_err(|refusal| {
            if let RefusalCause::NotCompiled { refusal: source } = refusal.cause {
                let path = PathBuf::from(refusal.path);
                return Unloaded::NotLoaded(ConfigFileError::ComponentNotLoaded { path, source });
            }
            Problem::of_component(place.clone(), refusal.to_string()).into()
        })
    }
}

/// The reason why a component was not loaded.
enum Unloaded {
    /// The component, or the file that names it, is wrong.
    Problem(Problem),
    /// The system refused this process a resource.
    NotLoaded(ConfigFileError),
}

impl From<Problem> for Unloaded {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

/// Reports missing components, without compiling any.
pub(crate) fn report_missing(base: &Path, entries: &[NodeEntry<'_>], problems: &Problems) {
    for entry in entries {
        if let PartEntry::Operator(operator) = &entry.part {
            let path = base.join(operator.component.get_ref());
            if let Err(error) = regular_file::open(&path) {
                problems.push(missing(operator.component.span(), &path, &error));
            }
        }
    }
}

/// Returns a problem if a component has more memories than its operator's limits allow.
pub(super) fn too_many_memories(
    component: &Component,
    operator: &OperatorEntry,
) -> Option<Problem> {
    let (found, allowed) = (component.memories(), operator.limits.memories);
    (found > u64::from(allowed)).then(|| {
        let path = operator.component.get_ref();
        let message =
            format!("{path}: this component has {found} memories; its operator may have {allowed}");
        let help = "raise `memories` in the operator's `limits`: every memory of every instance \
                    reserves 4 GiB of address space";
        Problem::of_component(operator.component.span(), message).help(help)
    })
}

/// Returns the summary of a component for `check`.
pub(crate) fn summary(operator: &str, path: PathBuf, component: &Component) -> ComponentSummary {
    ComponentSummary {
        operator: operator.to_owned(),
        path,
        bytes: component.size(),
        digest: blake3::Hash::from(component.digest()).to_hex().to_string(),
        imports: component.imports().to_vec(),
        exports: component.exports().to_vec(),
    }
}

/// Returns the problem of a component that the job file names at `place` and that can't be read.
fn missing(place: Span, path: &Path, error: &io::Error) -> Problem {
    let problem = Problem::at(place, unreadable(path, error));
    if error.kind() != io::ErrorKind::NotFound {
        return problem;
    }
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    problem.help(format!(
        "if the operator's project is `{0}`, build it: `tidegate build {0}`",
        shown(folder)
    ))
}

fn unreadable(path: &Path, error: &io::Error) -> String {
    format!("component {} can't be read: {error}", shown(path))
}

/// The reason why the bytes of a component can't be returned.
enum Unread {
    /// No readable file exists.
    Missing(io::Error),
    /// The file is too large for a component.
    TooLarge { bytes: u64 },
}

impl From<io::Error> for Unread {
    fn from(error: io::Error) -> Self {
        Self::Missing(error)
    }
}

/// Reads a component. Reads at most one byte more than a component may have; the loader rejects
/// such a file.
fn read(path: &Path) -> Result<Vec<u8>, Unread> {
    let file = regular_file::open(path)?;
    let bytes = file.metadata()?.len();
    if bytes > Limits::COMPONENT_BYTES {
        return Err(Unread::TooLarge { bytes });
    }
    let mut bytes = Vec::new();
    file.take(Limits::COMPONENT_BYTES + 1)
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}
