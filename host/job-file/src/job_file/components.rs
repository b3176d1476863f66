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

/// An operator's component, as `check` shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ComponentSummary {
    /// The operator's name.
    pub operator: String,
    /// Its component, relative to where the job file's path is.
    #[serde(serialize_with = "json::path")]
    pub path: PathBuf,
    /// Bytes of the component.
    pub bytes: u64,
    /// BLAKE3 of the component, in hexadecimal.
    pub digest: String,
    /// What it imports.
    pub imports: Vec<String>,
    /// What it exports.
    pub exports: Vec<String>,
}

/// The components of a job, each compiled once however many operators use it.
pub struct Components {
    engine: Engine,
    compiled: Option<CodeCache>,
    by_path: BTreeMap<PathBuf, Component>,
    /// Why the system keeps this process from loading any more.
    not_loaded: Option<ConfigFileError>,
}

impl Components {
    /// None yet.
    pub fn new(engine: Engine, compiled: Option<CodeCache>) -> Self {
        Self {
            engine,
            compiled,
            by_path: BTreeMap::new(),
            not_loaded: None,
        }
    }

    /// True if the system has refused what loading takes.
    pub fn is_refused(&self) -> bool {
        self.not_loaded.is_some()
    }

    /// Why a component could not be loaded that may be fine, once; looked at before all problems.
    pub fn take_not_loaded(&mut self) -> Option<ConfigFileError> {
        self.not_loaded.take()
    }

    /// The component at a path that a file names, checked and compiled. A component that is
    /// missing or refused is reported where the file names it; what the system refuses is no
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

    /// The component in a file, which the job file names at `place`.
    fn load_file(&self, path: &Path, place: &Span) -> Result<Component, Unloaded> {
        let bytes = read(path).map_err(|error| match error {
            Unread::Missing(error) => Problem::at(place.clone(), unreadable(path, &error)),
            Unread::TooLarge { bytes } => {
                let limit = Limits::COMPONENT_BYTES;
                let reason = format!("it has {bytes} bytes; a component may have {limit}");
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

/// Why a component was not loaded.
enum Unloaded {
    /// It, or the file that names it, has to be mended.
    Problem(Problem),
    /// The system refused this process something.
    NotLoaded(ConfigFileError),
}

impl From<Problem> for Unloaded {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

/// Reports the components that are not there, without compiling any.
pub(crate) fn report_missing(base: &Path, entries: &[NodeEntry<'_>], problems: &Problems) {
    for entry in entries {
        if let PartEntry::Operator(operator) = &entry.part {
            let path = base.join(operator.component.get_ref());
            if let Err(error) = regular_file::open(&path) {
                let message = unreadable(&path, &error);
                problems.push(Problem::at(operator.component.span(), message));
            }
        }
    }
}

/// A component that has more memories than its operator's limits allow.
pub(super) fn too_many_memories(
    component: &Component,
    operator: &OperatorEntry,
) -> Option<Problem> {
    let (found, allowed) = (component.memories(), operator.limits.memories);
    (found > u64::from(allowed)).then(|| {
        let path = operator.component.get_ref();
        let message = format!("{path}: this component has {found} memories; {allowed} are allowed");
        let help = "raise `memories` in the operator's `limits`: each reserves 4 GiB of address \
                    space in every instance";
        Problem::of_component(operator.component.span(), message).help(help)
    })
}

/// What `check` shows of a component.
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

fn unreadable(path: &Path, error: &io::Error) -> String {
    format!("component {} can't be read: {error}", shown(path))
}

/// Why a component's bytes are not there.
enum Unread {
    /// There is no file that can be read.
    Missing(io::Error),
    /// There is one, but no component is that large.
    TooLarge { bytes: u64 },
}

impl From<io::Error> for Unread {
    fn from(error: io::Error) -> Self {
        Self::Missing(error)
    }
}

/// Reads a component, but never more than a component may have. The loader refuses what is
/// longer.
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
