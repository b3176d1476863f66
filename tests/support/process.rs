//! The real binary: run it, watch it, kill it.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::workspace::binary;

/// How a run ended.
#[derive(Debug)]
pub struct Finished {
    /// The exit code; none if a signal ended it.
    pub code: Option<i32>,
    /// Data.
    pub stdout: String,
    /// Talk.
    pub stderr: String,
}

impl Finished {
    /// Asserts an exit code and that every one of `fragments` stands in what was said.
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

/// `tidegate` in `directory`, with no input and its output gathered, to be changed as a test wants;
/// started by `wrapper`, such as `strace` and its options, if that is not empty.
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
    // Shared by all tests, as by all jobs of a user; nothing is left in the home directory.
    for base in ["XDG_CACHE_HOME", "XDG_STATE_HOME"] {
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

    /// Starts a command of [`tidegate_command`]. Output that it sends elsewhere is not gathered.
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

    /// The process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// True while it has not ended.
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

    /// The most resident memory that it ever had, in MiB; none if it is gone.
    #[must_use]
    pub fn peak_mib(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).ok()?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))?;
        let kib: u64 = line.trim().trim_end_matches(" kB").parse().ok()?;
        Some(kib >> 10)
    }

    /// Lets it run for `time`, then kills it with SIGKILL. True if that ended it; false if it had
    /// ended by itself.
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
    /// If it is gone.
    pub fn signal(&self, signal: rustix::process::Signal) {
        assert!(self.try_signal(signal), "the process is gone");
    }

    /// Sends a signal; false if it is gone.
    ///
    /// # Panics
    ///
    /// If its process id is not one.
    pub fn try_signal(&self, signal: rustix::process::Signal) -> bool {
        let id = i32::try_from(self.child.id()).ok();
        let id = id.and_then(rustix::process::Pid::from_raw);
        let id = id.expect("a process id is a positive number");
        rustix::process::kill_process(id, signal).is_ok()
    }

    /// Waits for its end, which comes within `limit`: far more than it needs, so that a machine
    /// that is slow fails no test.
    ///
    /// # Panics
    ///
    /// If it does not come.
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

    /// Waits for its end.
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
        // It may have ended already; either way it is gone afterwards.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn read_all(mut pipe: impl std::io::Read) -> String {
    let mut bytes = Vec::new();
    pipe.read_to_end(&mut bytes).expect("a pipe can be read");
    String::from_utf8_lossy(&bytes).into_owned()
}
