//! Runs the binary in a directory of its own, and two jobs that need no component.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// A directory with a job file, removed at the end.
pub(crate) struct JobDirectory {
    directory: TempDir,
}

/// The result of a process that has ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    /// The exit code; `None` if a signal ended it.
    pub(crate) code: Option<i32>,
    /// The data that it printed.
    pub(crate) stdout: String,
    /// The messages that it printed.
    pub(crate) stderr: String,
}

impl JobDirectory {
    /// Creates a directory with this `job.toml`.
    pub(crate) fn new(job: &str) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory can be made");
        let this = Self { directory };
        this.write("job.toml", job);
        this
    }

    /// Returns the directory's path.
    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Writes a file into it.
    pub(crate) fn write(&self, name: &str, contents: impl AsRef<[u8]>) {
        std::fs::write(self.path().join(name), contents).expect("a file can be written");
    }

    /// Returns the names of its files, sorted.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.path()).expect("it can be listed");
        let name = |entry: std::io::Result<std::fs::DirEntry>| {
            entry
                .expect("it can be listed")
                .file_name()
                .to_string_lossy()
                .into_owned()
        };
        let mut names: Vec<String> = entries.map(name).collect();
        names.sort();
        names
    }

    /// Returns a command that runs the binary in it, with no setting from outside.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tidegate"));
        command
            .args(arguments)
            .current_dir(self.path())
            .stdin(Stdio::null());
        // Shared by all tests, as by all jobs of a user; the home directory stays untouched.
        for base in ["XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"] {
            let binary = Path::new(env!("CARGO_BIN_EXE_tidegate"));
            command.env(base, binary.with_file_name("xdg").join(base));
        }
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("TIDEGATE_") {
                command.env_remove(name);
            }
        }
        command
    }

    /// Runs the binary in it to its end.
    pub(crate) fn tidegate(&self, arguments: &[&str]) -> Ended {
        ended(&mut self.command(arguments))
    }

    /// Starts the binary in it. Its messages go to the file at the returned path.
    pub(crate) fn start(&self, arguments: &[&str]) -> (Child, PathBuf) {
        let said = self.path().join("stderr.txt");
        let file = std::fs::File::create(&said).expect("a file can be made");
        let mut command = self.command(arguments);
        let child = command.stdout(Stdio::null()).stderr(file).spawn();
        (child.expect("the binary starts"), said)
    }
}

/// Runs a command to its end.
pub(crate) fn ended(command: &mut Command) -> Ended {
    let output = command.output().expect("the binary starts");
    Ended {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).expect("it prints text"),
        stderr: String::from_utf8(output.stderr).expect("it says text"),
    }
}

/// A job without operators, so that no component is needed.
pub(crate) const COPY: &str = r#"version = 1
name = "copy"

[source.numbers]
connector = "generator"
to = 10

[sink.gone]
connector = "discard"
inputs = [{ from = "numbers" }]
"#;

/// Returns a job that runs until it is stopped.
pub(crate) fn endless() -> String {
    COPY.replace("to = 10", "rate = 1000")
        .replace("\n[source", "\n[checkpoint]\ninterval = \"50ms\"\n[source")
}

/// Waits until the job on a directory is in a state, and returns its status.
pub(crate) fn wait_for(directory: &JobDirectory, state: &str) -> Value {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let asked = directory.tidegate(&["status", "job.toml", "--json"]);
        let status: Value = serde_json::from_str(&asked.stdout).unwrap_or_default();
        if status["state"] == state {
            return status;
        }
        assert!(
            Instant::now() < deadline,
            "the job is not {state}: {asked:?}"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}
