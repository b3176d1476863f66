//! A job in its own process: started, queried over its control socket, and ended.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::AsRawFd as _;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

use crate::job_status::JobStatus;
use crate::job_variant::JobVariant;
use crate::workspace::Workspace;

/// The most time for the last checkpoint.
const STOP_TIMEOUT: Duration = Duration::from_secs(120);
/// The most time for a job whose input is short.
const END_TIMEOUT: Duration = Duration::from_secs(300);

/// A running `tidegate run`. Killed when dropped.
#[derive(Debug)]
pub(crate) struct RunningJob {
    child: Child,
    state: PathBuf,
    talk: PathBuf,
    /// The time just before the process was started.
    pub(crate) started: Instant,
}

/// The destination of the job's data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StandardOutput {
    /// No destination: the job writes none.
    None,
    /// A pipe, see [`RunningJob::first_byte`].
    Piped,
}

/// The use of components that an earlier process compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compiled {
    /// The default: they are used, if there are any.
    Kept,
    /// They are not used: as on a machine that has never run the job.
    Anew,
}

impl RunningJob {
    /// Starts the job. Its messages go into a file beside the job file.
    pub(crate) fn start(
        workspace: &Workspace,
        job: &JobVariant,
        parallelism: Option<u32>,
        output: StandardOutput,
    ) -> Result<Self> {
        Self::start_with(workspace, job, parallelism, output, Compiled::Kept)
    }

    /// Starts the job like [`Self::start`], with or without compiled components.
    pub(crate) fn start_with(
        workspace: &Workspace,
        job: &JobVariant,
        parallelism: Option<u32>,
        output: StandardOutput,
        compiled: Compiled,
    ) -> Result<Self> {
        let talk = job.file.with_file_name("stderr");
        let mut command = Command::new(&workspace.binary);
        command.arg("run").arg("--quiet").arg(&job.file);
        if let Some(parallelism) = parallelism {
            command.arg("--parallelism").arg(parallelism.to_string());
        }
        // Compiled components are kept for later starts, but apart from the user's.
        for base in ["XDG_CACHE_HOME", "XDG_STATE_HOME"] {
            command.env(base, workspace.data().join("user").join(base));
        }
        match compiled {
            Compiled::Kept => command.env_remove("TIDEGATE_NO_CODE_CACHE"),
            Compiled::Anew => command.env("TIDEGATE_NO_CODE_CACHE", "true"),
        };
        command.stdin(Stdio::null()).stderr(File::create(&talk)?);
        command.stdout(match output {
            StandardOutput::None => Stdio::null(),
            StandardOutput::Piped => Stdio::piped(),
        });
        let started = Instant::now();
        let child = command.spawn();
        let child = child.with_context(|| format!("start {}", workspace.binary.display()))?;
        Ok(Self {
            child,
            state: job.state.clone(),
            talk,
            started,
        })
    }

    /// Returns the process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits for the first byte of standard output. Returns the time since the process was started.
    pub(crate) fn first_byte(&mut self) -> Result<Duration> {
        let pipe = self.child.stdout.as_mut();
        let pipe = pipe.context("the job's output is not piped")?;
        let mut byte = [0];
        let read = pipe.read_exact(&mut byte);
        let elapsed = self.started.elapsed();
        if read.is_err() {
            bail!("the job ended without output: {}", self.said());
        }
        Ok(elapsed)
    }

    /// Takes the pipe of standard output.
    pub(crate) fn take_output(&mut self) -> Result<ChildStdout> {
        let pipe = self.child.stdout.take();
        pipe.context("the job's output is not piped")
    }

    /// Waits for the process to end by itself, successfully.
    pub(crate) fn wait(mut self) -> Result<()> {
        self.end_within(END_TIMEOUT)
    }

    /// Returns the job's status; `None` if no process listens on its socket.
    pub(crate) fn status(&self) -> Result<Option<JobStatus>> {
        let Some(body) = self.get("/api/v1/job")? else {
            return Ok(None);
        };
        let status = serde_json::from_str(&body).context("read the job's status")?;
        Ok(Some(status))
    }

    /// Returns the exit status of the process, if it has ended.
    pub(crate) fn ended(&mut self) -> Result<Option<ExitStatus>> {
        self.child.try_wait().context("ask for the job's process")
    }

    /// Stops the job with a last checkpoint and waits for its end.
    pub(crate) fn stop(mut self) -> Result<()> {
        if self.ended()?.is_none() {
            self.signal(Signal::TERM)?;
        }
        self.end_within(STOP_TIMEOUT)
    }

    fn end_within(&mut self, timeout: Duration) -> Result<()> {
        let deadline = Instant::now() + timeout;
        while Instant::now() < deadline {
            match self.ended()? {
                Some(status) if status.success() => return Ok(()),
                Some(status) => bail!("the job ended with {status}: {}", self.said()),
                None => sleep(Duration::from_millis(5)),
            }
        }
        bail!("the job did not end in {timeout:?}: {}", self.said());
    }

    /// Kills the process with SIGKILL and waits for it.
    pub(crate) fn kill(mut self) -> Result<()> {
        self.child.kill().context("kill the job")?;
        self.child.wait().context("wait for the job")?;
        Ok(())
    }

    /// Returns the messages of the process so far.
    pub(crate) fn said(&self) -> String {
        std::fs::read_to_string(&self.talk).unwrap_or_default()
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        let pid = i32::try_from(self.pid()).ok().and_then(Pid::from_raw);
        let pid = pid.context("a process id is a positive number")?;
        kill_process(pid, signal).context("signal the job")
    }

    /// Returns the body of an answer; `None` if no process listens.
    fn get(&self, path: &str) -> Result<Option<String>> {
        // Through a handle, since the path of a socket may have only 107 bytes.
        let Ok(directory) = File::open(&self.state) else {
            return Ok(None);
        };
        let socket = format!("/proc/self/fd/{}/control.sock", directory.as_raw_fd());
        let Ok(mut stream) = UnixStream::connect(socket) else {
            return Ok(None);
        };
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        let mut answer = String::new();
        let asked = stream.write_all(request.as_bytes());
        if asked
            .and_then(|()| stream.read_to_string(&mut answer))
            .is_err()
        {
            return Ok(None);
        }
        let Some((head, body)) = answer.split_once("\r\n\r\n") else {
            return Ok(None);
        };
        if !head.starts_with("HTTP/1.1 200 ") {
            bail!("GET {path}: {answer}");
        }
        Ok(Some(body.to_owned()))
    }
}

impl Drop for RunningJob {
    fn drop(&mut self) {
        // The process may have ended already; either way it is gone afterwards.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
