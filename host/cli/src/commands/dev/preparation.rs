//! Prepares a job beside the running one: builds what is stale, runs the scenarios, and loads the
//! job file. On a thread of its own, because compilers and scenarios take their time.

use std::path::{Path, PathBuf};
use std::thread;

use tidegate_authoring::build::code_digest;
use tidegate_authoring::scenario;
use tidegate_connectors::built_in;
use tidegate_job_file::{JobFile, LoadedJob, Loading};
use tidegate_operator::Backtrace;
use tidegate_runtime::check_continues;
use tokio::sync::oneshot;

use super::super::check::check_loaded;
use super::super::job_projects::{JobProject, JobProjects, relative};
use super::super::test;
use super::scope::{Fingerprint, Scope, resolved, scenarios_of};
use super::session::CodeId;
use crate::args::CompilerArgs;
use crate::code_cache;
use crate::failure::Failure;
use crate::terminal::{Lines, Terminal};

/// The data that every preparation needs.
#[derive(Clone)]
pub(super) struct Preparer {
    pub(super) job_file: PathBuf,
    pub(super) parallelism: Option<u32>,
    pub(super) compiler: CompilerArgs,
    pub(super) backtrace: Backtrace,
    pub(super) terminal: Terminal,
}

/// The state of the files before a preparation.
#[derive(Clone)]
pub(super) struct Earlier {
    pub(super) scope: Scope,
    /// `None` before the first preparation.
    pub(super) fingerprint: Option<Fingerprint>,
    /// True if the job is to continue from its newest checkpoint.
    pub(super) continues: bool,
}

/// The result of a preparation.
pub(super) struct Preparation {
    pub(super) scope: Scope,
    pub(super) fingerprint: Fingerprint,
    pub(super) outcome: Outcome,
}

/// The reason why a preparation ended.
pub(super) enum Outcome {
    /// No file has changed.
    NothingChanged,
    /// A mistake of the user's.
    Failed(Failure),
    /// The job can run.
    Ready(Box<Ready>),
}

/// A job that can run.
pub(super) struct Ready {
    pub(super) loaded: LoadedJob,
    pub(super) code: CodeId,
}

impl Preparer {
    /// Starts a preparation. The receiver reports its end, or an error if it panicked.
    pub(super) fn start(
        &self,
        earlier: Earlier,
    ) -> Result<oneshot::Receiver<Preparation>, Failure> {
        let preparer = self.clone();
        let (end, ended) = oneshot::channel();
        let prepare = move || {
            // The receiver is gone if the process is ending.
            drop(end.send(preparer.prepare(earlier)));
        };
        let thread = thread::Builder::new().name("tidegate-build".to_owned());
        // Not joined: a compiler must not delay the end of the process.
        drop(thread.spawn(prepare).map_err(Failure::thread("builds"))?);
        Ok(ended)
    }

    fn prepare(&self, earlier: Earlier) -> Preparation {
        let projects = JobFile::read(&self.job_file).map_err(Failure::from);
        let scope = match projects.and_then(|file| JobProjects::of(&file)) {
            Ok(projects) => {
                let written = earlier.scope.written().to_vec();
                Scope::of(&self.job_file, &projects).outside(written)
            }
            // The files of the last job file that could be read.
            Err(_) => earlier.scope,
        };
        // Taken before anything is used: a later change makes a difference to the next one.
        let fingerprint = scope.fingerprint();
        if earlier.fingerprint == Some(fingerprint) {
            return Preparation {
                scope,
                fingerprint,
                outcome: Outcome::NothingChanged,
            };
        }
        match self.ready(earlier.continues) {
            Ok(ready) => Preparation {
                scope: scope.outside(written_by(&ready.loaded)),
                fingerprint,
                outcome: Outcome::Ready(Box::new(ready)),
            },
            Err(failure) => Preparation {
                scope,
                fingerprint,
                outcome: Outcome::Failed(failure),
            },
        }
    }

    /// Builds, tests and loads.
    fn ready(&self, continues: bool) -> Result<Ready, Failure> {
        let file = JobFile::read(&self.job_file)?;
        let projects = JobProjects::of(&file)?;
        projects.build_stale(&self.compiler, &self.terminal)?;
        self.run_scenarios(&projects)?;
        let loading = Loading {
            compiled: code_cache::of_this_user(),
            debug_info: true,
            backtrace: self.backtrace,
            ..Loading::new(built_in())
        };
        let loaded = file.load(self.parallelism, loading)?;
        check_loaded(&loaded)?;
        if continues {
            check_continues(&loaded.job, &loaded.checkpoint_directory)?;
        }
        let code = code_of(&file, &loaded)?;
        Ok(Ready { loaded, code })
    }

    /// Runs the scenarios of all projects, and reports each that fails.
    fn run_scenarios(&self, projects: &JobProjects) -> Result<(), Failure> {
        let scenarios = |project: &JobProject| scenarios_of(&project.project);
        let paths = projects.projects.iter().flat_map(scenarios);
        let paths: Vec<_> = paths.map(|path| relative(&path)).collect();
        if paths.is_empty() {
            return Ok(());
        }
        let loaded = test::load(&paths, self.backtrace)?;
        let all = loaded.len();
        let mut failures = Lines::new();
        let mut failed = 0;
        for scenario in loaded {
            if let Err(failure) = scenario::run(&scenario) {
                failed += 1;
                test::tell(&scenario.path, &failure, &mut failures);
            }
        }
        if failed > 0 {
            self.terminal.show(failures);
            return Err(Failure::ScenariosFailed { failed, all });
        }
        self.terminal.say(format_args!("{all} scenario(s) passed"));
        Ok(())
    }
}

/// Returns the folders that a job writes to.
fn written_by(loaded: &LoadedJob) -> Vec<PathBuf> {
    let sinks = loaded.job.sinks.values();
    let outputs = sinks.filter_map(|sink| sink.directory());
    let written = outputs.chain([loaded.checkpoint_directory.as_path()]);
    written.map(resolved).collect()
}

/// Returns the digest of the job file and of the components without their stamps.
fn code_of(file: &JobFile, loaded: &LoadedJob) -> Result<CodeId, Failure> {
    let mut digest = blake3::Hasher::new();
    digest.update(blake3::hash(file.text().as_bytes()).as_bytes());
    for component in &loaded.components {
        let code = code_digest(&component.path).map_err(unreadable(&component.path))?;
        digest.update(&code);
    }
    Ok(CodeId(digest.finalize().into()))
}

fn unreadable(component: &Path) -> impl FnOnce(std::io::Error) -> Failure + use<> {
    Failure::io(format!("read {}", tidegate_operator::shown(component)))
}
