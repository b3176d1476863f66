//! The real binary: runs it, watches it, kills it.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::workspace::binary;

/// The end of a run.
#[derive(Debug)]
pub struct Finished {
    /// The exit code; `None` if a signal ended it.
    pub code: Option<i32>,
    /// The data that it printed.
    pub stdout: String,
    /// The messages that it printed.
    pub stderr: String,
}

impl Finished {
    /// Asserts an exit code, and that the messages contain every one of `fragments`.
    ///
    /// # Panics
    ///
    /// If not.
    #[track_caller]
    pub fn assert_fails(&self, code: i32, fragments: &[&str]) {
        assert_eq!(self.code, Some(code), "{self:#?}");
        for fragment in fragments {
            assert!(
                self.stderr.contains(fragment),
                "no `{fragment}` in {self:#?}"
            );
        }
        assert!(
            !self.stderr.contains("panicked at host/"),
            "a host panic: {self:#?}"
        );
    }

    /// Asserts success.
    ///
    /// # Panics
    ///
    /// If not.
    #[track_caller]
    pub fn assert_succeeds(&self) -> &Self {
        assert_eq!(self.code, Some(0), "{self:#?}");
        self
    }
}

/// Returns the command `tidegate` in `directory`, with no input and its output captured, for the
/// test to change. `wrapper`, such as `strace` and its options, starts it if it is not empty.
#[must_use]
pub fn tidegate_command(wrapper: &[&str], directory: &Path, arguments: &[&str]) -> Command {
    let mut words = wrapper.iter().map(OsStr::new);
    let mut command = match words.next() {
        Some(program) => {
            let mut command = Command::new(program);
            command.args(words).arg(binary());
            command
        }
        None => Command::new(binary()),
    };
    command.args(arguments).current_dir(directory);
    // Shared by all tests, as by all jobs of a user; the home directory stays untouched.
    for base in ["XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"] {
        command.env(base, binary().with_file_name("xdg").join(base));
    }
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Runs `tidegate` in `directory` to its end.
///
/// # Panics
///
/// If it can't be started.
#[must_use]
pub fn tidegate(directory: &Path, arguments: &[&str]) -> Finished {
    Running::start(directory, arguments).wait()
}

/// A running `tidegate`. Killed when dropped.
#[derive(Debug)]
pub struct Running {
    child: Child,
    stdout: Option<thread::JoinHandle<String>>,
    stderr: Option<thread::JoinHandle<String>>,
}

impl Running {
    /// Starts `tidegate` in `directory`.
    ///
    /// # Panics
    ///
    /// If it can't be started.
    #[must_use]
    pub fn start(directory: &Path, arguments: &[&str]) -> Self {
        Self::spawn(tidegate_command(&[], directory, arguments))
    }

    /// Starts a command of [`tidegate_command`]. Output that it sends elsewhere is not captured.
    ///
    /// # Panics
    ///
    /// If it can't be started.
    #[must_use]
    pub fn spawn(mut command: Command) -> Self {
        let mut child = command.spawn().expect("the binary can be started");
        let stdout = child
            .stdout
            .take()
            .map(|pipe| thread::spawn(|| read_all(pipe)));
        let stderr = child
            .stderr
            .take()
            .map(|pipe| thread::spawn(|| read_all(pipe)));
        Self {
            child,
            stdout,
            stderr,
        }
    }

    /// Returns the process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Returns true while the process has not ended.
    ///
    /// # Panics
    ///
    /// If the system can't tell.
    pub fn is_running(&mut self) -> bool {
        let ended = self
            .child
            .try_wait()
            .expect("the system knows its children");
        ended.is_none()
    }

    /// Returns the process's peak resident memory, in MiB; `None` if it is gone.
    #[must_use]
    pub fn peak_mib(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).ok()?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))?;
        let kib: u64 = line.trim().trim_end_matches(" kB").parse().ok()?;
        Some(kib >> 10)
    }

    /// Lets the process run for `time`, then kills it with SIGKILL. Returns true if that ended it;
    /// false if it had ended by itself.
    ///
    /// # Panics
    ///
    /// If it had ended by itself with a failure.
    pub fn kill_after(mut self, time: Duration) -> bool {
        thread::sleep(time);
        let was_running = self.is_running();
        if was_running {
            self.child
                .kill()
                .expect("a child that was not waited for can be killed");
        }
        let finished = self.wait();
        match finished.code {
            None => true,
            Some(0) => false,
            Some(_) => panic!("it failed by itself: {finished:#?}"),
        }
    }

    /// Sends a signal.
    ///
    /// # Panics
    ///
    /// If the process is gone.
    pub fn signal(&self, signal: rustix::process::Signal) {
        assert!(self.try_signal(signal), "the process is gone");
    }

    /// Sends a signal; returns false if the process is gone.
    ///
    /// # Panics
    ///
    /// If its process id is invalid.
    pub fn try_signal(&self, signal: rustix::process::Signal) -> bool {
        let id = i32::try_from(self.child.id()).ok();
        let id = id.and_then(rustix::process::Pid::from_raw);
        let id = id.expect("a process id is a positive number");
        rustix::process::kill_process(id, signal).is_ok()
    }

    /// Waits for the process to end within `limit`: far more than it needs, so that no test fails
    /// on a slow machine.
    ///
    /// # Panics
    ///
    /// If it does not end.
    #[must_use]
    #[track_caller]
    pub fn wait_within(mut self, limit: Duration) -> Finished {
        let give_up = Instant::now() + limit;
        let mut hangs = false;
        while self.is_running() {
            if Instant::now() > give_up {
                hangs = true;
                self.child.kill().expect("a child can be killed");
                break;
            }
            thread::sleep(Duration::from_millis(5));
        }
        let finished = self.wait();
        assert!(!hangs, "it did not end within {limit:?}: {finished:#?}");
        finished
    }

    /// Waits for the process to end.
    ///
    /// # Panics
    ///
    /// If the system can't tell.
    #[must_use]
    pub fn wait(mut self) -> Finished {
        let status = self.child.wait().expect("the system knows its children");
        let joined = |reader: Option<thread::JoinHandle<String>>| {
            let text = reader.map(|reader| reader.join().expect("reading does not panic"));
            text.unwrap_or_default()
        };
        Finished {
            code: status.code(),
            stdout: joined(self.stdout.take()),
            stderr: joined(self.stderr.take()),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // The process may have ended already; either way it is gone afterwards.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn read_all(mut pipe: impl std::io::Read) -> String {
    let mut bytes = Vec::new();
    pipe.read_to_end(&mut bytes).expect("a pipe can be read");
    String::from_utf8_lossy(&bytes).into_owned()
}
