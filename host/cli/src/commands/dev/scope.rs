//! The files that a job is made of: the job file, the sources and scenarios of its operators, and
//! components without a project.
//!
//! Nothing that the job or a build writes is among them. The fingerprint decides whether anything
//! changed: a file that is saved again as it was is no change.

use std::collections::BTreeSet;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use tidegate_authoring::build::{ComponentProject, ProjectSources, code_digest};

use super::super::job_projects::JobProjects;

/// The most bytes of a job file or scenario that are compared.
const MOST_BYTES: u64 = 2 << 20;

/// The contents of all files at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fingerprint([u8; 32]);

/// The files of one job.
#[derive(Clone, Debug)]
pub(super) struct Scope {
    job_file: PathBuf,
    projects: Vec<ComponentProject>,
    ready_made: Vec<PathBuf>,
    /// Folders that the running job writes to.
    written: Vec<PathBuf>,
}

impl Scope {
    /// Returns the files of a job file alone.
    pub(super) fn of_file(job_file: &Path) -> Self {
        Self {
            job_file: resolved(job_file),
            projects: Vec::new(),
            ready_made: Vec::new(),
            written: Vec::new(),
        }
    }

    /// Returns the files of a job file and its operators.
    pub(super) fn of(job_file: &Path, projects: &JobProjects) -> Self {
        let found = projects.projects.iter();
        let ready_made = projects.ready_made.iter();
        Self {
            projects: found.map(|found| found.project.clone()).collect(),
            ready_made: ready_made.map(|named| resolved(&named.path)).collect(),
            ..Self::of_file(job_file)
        }
    }

    /// Returns the same files, unless they are in folders that the job writes to.
    pub(super) fn outside(self, written: Vec<PathBuf>) -> Self {
        Self { written, ..self }
    }

    /// Returns the folders that the job writes to.
    pub(super) fn written(&self) -> &[PathBuf] {
        &self.written
    }

    /// Returns the folders to watch, each without those below it.
    pub(super) fn folders(&self) -> BTreeSet<PathBuf> {
        let files = self.ready_made.iter().chain([&self.job_file]);
        let mut folders: BTreeSet<PathBuf> = files
            .filter_map(|file| file.parent())
            .map(Path::to_owned)
            .collect();
        for project in &self.projects {
            folders.insert(project.folder().to_owned());
            folders.extend(
                project
                    .sources()
                    .into_iter()
                    .flat_map(|found| found.folders),
            );
            let tests = tests_of(project);
            folders.extend(tests.is_dir().then_some(tests));
        }
        folders.retain(|folder| !self.is_written(folder));
        folders
    }

    /// Returns true if a change of this path, in one of the folders, may be a change of the job. A
    /// new folder may hold sources.
    pub(super) fn concerns(&self, path: &Path) -> bool {
        let is_of_project = |project: &ComponentProject| {
            let is_source = ProjectSources::is_source(path, project.language);
            is_source && path.starts_with(project.folder()) || is_scenario_of(project, path)
        };
        !self.is_written(path)
            && (path == self.job_file
                || self.ready_made.iter().any(|component| component == path)
                || self.projects.iter().any(is_of_project)
                || path.is_dir())
    }

    fn is_written(&self, path: &Path) -> bool {
        self.written.iter().any(|folder| path.starts_with(folder))
    }

    /// Reads all files. A file that is missing or can't be read counts as such.
    pub(super) fn fingerprint(&self) -> Fingerprint {
        let mut parts = vec![digest_of(&self.job_file)];
        for project in &self.projects {
            parts.push(project.sources().map(|sources| sources.digest));
            parts.extend(scenarios_of(project).iter().map(|path| digest_of(path)));
        }
        let ready_made = self.ready_made.iter();
        parts.extend(ready_made.map(|path| code_digest(path).ok()));
        let mut digest = blake3::Hasher::new();
        for part in parts {
            digest.update(&[u8::from(part.is_some())]);
            digest.update(&part.unwrap_or_default());
        }
        Fingerprint(digest.finalize().into())
    }
}

/// Returns the scenarios of a project, sorted.
pub(super) fn scenarios_of(project: &ComponentProject) -> Vec<PathBuf> {
    let entries = fs::read_dir(tests_of(project)).into_iter().flatten();
    let paths = entries.flatten().map(|entry| entry.path());
    let mut paths: Vec<_> = paths.filter(|path| is_scenario_of(project, path)).collect();
    paths.sort();
    paths
}

fn is_scenario_of(project: &ComponentProject, path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let is_toml = name.ends_with(".toml") && !name.starts_with('.');
    is_toml && path.parent() == Some(&tests_of(project))
}

fn tests_of(project: &ComponentProject) -> PathBuf {
    project.folder().join("tests")
}

fn digest_of(path: &Path) -> Option<[u8; 32]> {
    let mut bytes = Vec::new();
    let file = fs::File::open(path).ok()?;
    file.take(MOST_BYTES).read_to_end(&mut bytes).ok()?;
    Some(blake3::hash(&bytes).into())
}

/// Returns the path of a file with its folder resolved, as the system names changed files. The file
/// may be missing.
pub(super) fn resolved(file: &Path) -> PathBuf {
    let folder = file
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    folder.join(file.file_name().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use tidegate_job_file::NamedComponent;

    use super::*;

    /// Returns a folder with a job and a project in it, and their scope.
    fn job_with_project() -> (tempfile::TempDir, PathBuf, Scope) {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let root = directory.path().canonicalize().expect("it is there");
        for folder in ["count/src", "count/tests", "state", "output"] {
            fs::create_dir_all(root.join(folder)).expect("it can be made");
        }
        for file in ["job.toml", "count/Cargo.toml", "count/src/lib.rs"] {
            fs::write(root.join(file), "one").expect("it can be written");
        }
        let named = |operator: &str, path: &str| NamedComponent {
            operator: operator.to_owned(),
            path: root.join(path),
        };
        let components = vec![
            named("count", "count/count.wasm"),
            named("split", "split.wasm"),
        ];
        let projects = JobProjects::of_components(components);
        let scope = Scope::of(&root.join("job.toml"), &projects);
        (directory, root, scope)
    }

    #[test]
    fn folders_that_the_job_writes_to_are_not_watched() {
        let (_directory, root, scope) = job_with_project();
        let output = root.join("count/output");
        fs::create_dir(&output).expect("it can be made");
        assert!(scope.folders().contains(&output));
        assert!(scope.concerns(&output));
        let scope = scope.outside(vec![output.clone()]);
        assert!(!scope.folders().contains(&output));
        assert!(!scope.concerns(&output));
        assert!(!scope.concerns(&output.join("lib.rs")));
    }

    #[test]
    fn sources_scenarios_job_file_and_ready_made_components_are_the_job_and_output_is_not() {
        let (_directory, root, scope) = job_with_project();
        for (file, is_concern) in [
            ("job.toml", true),
            ("split.wasm", true),
            ("count/src/lib.rs", true),
            ("count/src/new.rs", true),
            ("count/tests/new.toml", true),
            ("count/count.wasm", false),
            ("count/Cargo.lock", false),
            ("log.txt", false),
            ("state/LOCK", false),
            ("output/part-0.jsonl", false),
        ] {
            let before = scope.fingerprint();
            fs::write(root.join(file), "two").expect("it can be written");
            assert_eq!(scope.concerns(&root.join(file)), is_concern, "{file}");
            assert_eq!(scope.fingerprint() != before, is_concern, "{file}");
            let before = scope.fingerprint();
            fs::write(root.join(file), "two").expect("it can be written");
            assert_eq!(scope.fingerprint(), before, "{file} is as it was");
        }
        let folders = ["", "count", "count/src", "count/tests"].map(|below| {
            let folder = root.join(below);
            folder.components().collect::<PathBuf>()
        });
        assert_eq!(scope.folders(), BTreeSet::from(folders));
    }

    #[test]
    fn a_removed_file_is_a_change() {
        let (_directory, root, scope) = job_with_project();
        for file in ["count/src/lib.rs", "job.toml"] {
            let before = scope.fingerprint();
            fs::remove_file(root.join(file)).expect("it is there");
            assert_ne!(scope.fingerprint(), before, "{file}");
        }
    }
}
