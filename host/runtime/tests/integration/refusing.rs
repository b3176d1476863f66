//! Threads, tasks and blocking work that the system refuses, and tasks that die: each failure of an
//! attempt names its cause, and the next attempt continues exactly.

use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;

use tidegate_checkpoint::Partitioning::{Forward, Hash};
use tidegate_runtime::executor::{BlockingWork, Executor, Joined, Task, Threads};
use tidegate_runtime::{JobHandle, Outcome, RunOptions, prepare, run_on};

use crate::support::faults::Faults;
use crate::support::jobs::JobBuilder;
use crate::support::operators::Kind;
use crate::support::oracle::assert_counted;
use crate::support::sinks::Output;
use crate::support::sources::Numbers;

/// A trouble of the n-th thread, task or piece of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trouble {
    ChainRefused,
    TaskRefused,
    WorkRefused,
    /// A task panics before the n-th step of any task.
    TaskDies,
}

impl Trouble {
    /// Returns the fragments that the failure must contain.
    fn names(self) -> &'static [&'static str] {
        match self {
            Self::ChainRefused => &["could not start a thread for ", "["],
            Self::TaskRefused => &["could not start a thread for the persister of chain "],
            Self::WorkRefused => &["could not start a thread for the "],
            Self::TaskDies => &["the persister of chain ", "ended too early", "planned"],
        }
    }
}

/// Threads with one trouble.
struct Troubled {
    threads: Threads,
    trouble: Trouble,
    left: Arc<AtomicU64>,
}

impl Troubled {
    fn is_now(trouble: Trouble, of: Trouble, left: &AtomicU64) -> bool {
        trouble == of && left.fetch_sub(1, Ordering::Relaxed) == 1
    }

    fn refuse(&self, trouble: Trouble) -> io::Result<()> {
        match Self::is_now(self.trouble, trouble, &self.left) {
            true => Err(io::ErrorKind::WouldBlock.into()),
            false => Ok(()),
        }
    }
}

impl Executor for Troubled {
    fn start_chain(&self, chain: Task) -> io::Result<Joined> {
        self.refuse(Trouble::ChainRefused)?;
        self.threads.start_chain(chain)
    }

    fn spawn(&self, mut task: Task) -> io::Result<Joined> {
        self.refuse(Trouble::TaskRefused)?;
        let (trouble, left) = (self.trouble, Arc::clone(&self.left));
        let steps = poll_fn(move |context| -> Poll<()> {
            let dies = Self::is_now(trouble, Trouble::TaskDies, &left);
            assert!(!dies, "planned");
            task.as_mut().poll(context)
        });
        self.threads.spawn(Box::pin(steps))
    }

    fn run_blocking(&self, work: BlockingWork) -> io::Result<()> {
        self.refuse(Trouble::WorkRefused)?;
        self.threads.run_blocking(work)
    }
}

/// Runs a job with the n-th trouble. Returns the reported failure, if the trouble came in time.
async fn failure_with(trouble: Trouble, nth: u64) -> Option<String> {
    let (directory, faults) = (tempfile::tempdir().unwrap(), Faults::none());
    let output = Output::new(&faults);
    let job = JobBuilder::new(&faults)
        .source(&Numbers::new("a", 400, &faults), 2)
        .operator("count", Kind::Count, 2, &[("a", Hash)])
        .sink("out", &output, 2, &[("count", Forward)])
        .build();
    let options = RunOptions::default();
    let store = prepare(&job, directory.path(), &options).unwrap();
    let (handle, control) = JobHandle::new("job");
    let executor = Arc::new(Troubled {
        threads: Threads::start().unwrap(),
        trouble,
        left: Arc::new(AtomicU64::new(nth)),
    });
    let run = run_on(executor, job, Arc::new(store), options, control);
    assert_eq!(run.await.unwrap(), Outcome::Finished, "{trouble:?} {nth}");
    assert_counted(&output, &faults, [("a", 400, 1)]);
    let status = handle.status();
    assert_eq!(status.restarts > 0, status.last_failure.is_some());
    status.last_failure
}

/// Runs jobs in which the n-th of its kind meets the trouble, for growing n, until a job has fewer.
async fn each(trouble: Trouble, least: u64) {
    let mut fired = 0;
    while let Some(failure) = failure_with(trouble, fired + 1).await {
        fired += 1;
        for name in trouble.names() {
            assert!(failure.contains(name), "{trouble:?} {fired}: {failure}");
        }
        if fired == 40 {
            break;
        }
    }
    assert!(fired >= least, "{trouble:?} fired {fired} times");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_chain_is_named_and_the_job_restarts() {
    each(Trouble::ChainRefused, 4).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_persister_is_named_and_the_job_restarts() {
    each(Trouble::TaskRefused, 4).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refused_blocking_work_is_named_and_the_job_restarts() {
    each(Trouble::WorkRefused, 6).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_persister_that_dies_is_named_and_the_job_restarts() {
    each(Trouble::TaskDies, 4).await;
}
