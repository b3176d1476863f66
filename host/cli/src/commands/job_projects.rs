//! The projects that build the components of a job: finds them, builds them, and reports stale
//! components. A component whose folder has no manifest has no project, and stays as it is.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tidegate_authoring::build::{
    BuildError, BuildRequest, BuiltComponent, ComponentProject, Freshness, build,
};
use tidegate_job_file::{JobFile, LoadedJob, NamedComponent};
use tidegate_operator::shown;

use crate::args::CompilerArgs;
use crate::failure::Failure;
use crate::terminal::Terminal;

/// The components of a job, by project.
#[derive(Clone, Debug, Default)]
pub(super) struct JobProjects {
    /// Each project once, with all components of the job that it builds.
    pub(super) projects: Vec<JobProject>,
    /// The components without a project.
    pub(super) ready_made: Vec<NamedComponent>,
}

/// A project with the components that the job file names in its folder.
#[derive(Clone, Debug)]
pub(super) struct JobProject {
    pub(super) project: ComponentProject,
    /// At least one.
    pub(super) components: Vec<NamedComponent>,
}

/// A component that was built from other sources than those of its project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct StaleComponent {
    pub(super) component: NamedComponent,
    /// The source that was modified last.
    pub(super) newest: PathBuf,
}

impl JobProjects {
    /// Finds the projects of a job file, whose components may be missing.
    pub(super) fn of(file: &JobFile) -> Result<Self, Failure> {
        Ok(Self::of_components(file.components()?))
    }

    /// Finds the projects of these components.
    pub(super) fn of_components(components: Vec<NamedComponent>) -> Self {
        let mut found = Self::default();
        for component in components {
            let Some(project) = ComponentProject::of(&component.path) else {
                found.ready_made.push(component);
                continue;
            };
            let mut earlier = found.projects.iter_mut();
            match earlier.find(|earlier| earlier.project == project) {
                Some(earlier) => earlier.components.push(component),
                None => found.projects.push(JobProject {
                    project,
                    components: vec![component],
                }),
            }
        }
        found
    }

    /// Returns the components that were built from other sources. A component is not among them if
    /// nothing shows what it was built from.
    pub(super) fn stale(&self) -> Vec<StaleComponent> {
        let mut stale = Vec::new();
        for JobProject {
            project,
            components,
        } in &self.projects
        {
            for component in components {
                if let Freshness::Stale { newest } = project.freshness(&component.path) {
                    stale.push(StaleComponent {
                        component: component.clone(),
                        newest,
                    });
                }
            }
        }
        stale
    }

    /// Builds every project whose component is stale or may be.
    pub(super) fn build_stale(
        &self,
        compiler: &CompilerArgs,
        terminal: &Terminal,
    ) -> Result<(), Failure> {
        for project in self
            .projects
            .iter()
            .filter(|project| project.may_be_stale())
        {
            let (built, took) = project.build(compiler)?;
            for component in built {
                let path = relative(&component.path);
                terminal.say(format_args!("built {} in {}", shown(&path), Seconds(took)));
            }
        }
        Ok(())
    }
}

impl JobProject {
    fn may_be_stale(&self) -> bool {
        let mut components = self.components.iter();
        components.any(|named| self.project.freshness(&named.path) != Freshness::Fresh)
    }

    /// Builds the project, and checks that the components of the job are among the results.
    pub(super) fn build(
        &self,
        compiler: &CompilerArgs,
    ) -> Result<(Vec<BuiltComponent>, Duration), Failure> {
        let start = Instant::now();
        let built = build(&BuildRequest {
            path: self.project.manifest.clone(),
            out: None,
            target_dir: compiler.target_dir.clone(),
            offline: compiler.offline,
        });
        let built = built.and_then(|built| self.checked(built));
        let built = built.map_err(|source| Failure::OperatorNotBuilt {
            operators: self.operators(),
            source,
        })?;
        Ok((built, start.elapsed()))
    }

    fn operators(&self) -> Vec<String> {
        let components = self.components.iter();
        components.map(|named| named.operator.clone()).collect()
    }

    fn checked(&self, built: Vec<BuiltComponent>) -> Result<Vec<BuiltComponent>, BuildError> {
        let is_built = |named: &NamedComponent| {
            let mut built = built.iter();
            built.any(|component| is_same_file(&component.path, &named.path))
        };
        match self.components.iter().find(|named| !is_built(named)) {
            None => Ok(built),
            Some(missing) => Err(BuildError::OtherComponents {
                manifest: self.project.manifest.clone(),
                component: missing.path.clone(),
                built: built.into_iter().map(|component| component.path).collect(),
            }),
        }
    }
}

fn is_same_file(one: &Path, other: &Path) -> bool {
    match (one.canonicalize(), other.canonicalize()) {
        (Ok(one), Ok(other)) => one == other,
        (Err(_), _) | (_, Err(_)) => false,
    }
}

impl StaleComponent {
    /// Returns the warning for the user of this job file.
    pub(super) fn warning(&self, job_file: &Path) -> String {
        let NamedComponent { operator, path } = &self.component;
        format!(
            "operator `{operator}`: {} is older than its sources: they changed since it was built, \
             last {}; `tidegate build {}` builds it",
            shown(path),
            shown(&relative(&self.newest)),
            shown(job_file)
        )
    }
}

/// Returns the components of a loaded job that were built from other sources.
pub(super) fn stale(loaded: &LoadedJob) -> Vec<StaleComponent> {
    let named = loaded.components.iter().map(|summary| NamedComponent {
        operator: summary.operator.clone(),
        path: summary.path.clone(),
    });
    JobProjects::of_components(named.collect()).stale()
}

/// Returns a path below the current directory as the user would write it.
pub(super) fn relative(path: &Path) -> PathBuf {
    let here = std::env::current_dir().and_then(|here| here.canonicalize());
    let below = here
        .ok()
        .and_then(|here| Some(path.strip_prefix(here).ok()?.to_owned()));
    below.unwrap_or_else(|| path.to_owned())
}

/// A duration in seconds with one digit after the point.
struct Seconds(Duration);

impl std::fmt::Display for Seconds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.1} s", self.0.as_secs_f64())
    }
}
