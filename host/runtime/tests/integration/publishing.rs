//! Several sinks of one job publish a checkpoint side by side.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use tidegate_checkpoint::Partitioning::Forward;
use tidegate_connector::sink::{PendingOutput, PreCommit, Sink, SinkConnector, SinkStart};
use tidegate_connector::{CheckpointId, ConnectorError, Lineage, SubtaskId};
use tidegate_operator::Batch;
use tidegate_runtime::config::RestartSettings;
use tidegate_runtime::{JobErrorKind, Outcome, RunOptions};

use crate::support::faults::Faults;
use crate::support::jobs::{JobBuilder, Running, start_built};
use crate::support::sinks::Output;
use crate::support::sources::{Allowance, Numbers};

/// The time after which a commit that waits for another one counts as alone.
const PATIENCE: Duration = Duration::from_secs(20);

/// The end of the commit of one sink.
#[derive(Clone, Copy, Debug)]
enum Commits {
    Well,
    /// Failure, as when the disk is full.
    InVain,
    /// Failure, because the place of output belongs to another run.
    IntoAnotherPlace,
}

/// A meeting of a job's sinks: each commit waits until `expected` sinks are inside one.
#[derive(Debug, Default)]
struct Meeting {
    expected: usize,
    came: Mutex<BTreeSet<String>>,
    changed: Condvar,
}

impl Meeting {
    fn of(expected: usize) -> Arc<Self> {
        Arc::new(Self {
            expected,
            ..Self::default()
        })
    }

    /// Joins the meeting; returns true if all came in time.
    fn join(&self, name: &str) -> bool {
        let mut came = self.came.lock().unwrap();
        came.insert(name.to_owned());
        self.changed.notify_all();
        let waited = self
            .changed
            .wait_timeout_while(came, PATIENCE, |came| came.len() < self.expected);
        !waited.unwrap().1.timed_out()
    }
}

/// A sink that has one pending output at each checkpoint.
#[derive(Clone)]
struct Meets {
    name: &'static str,
    commits: Commits,
    meeting: Arc<Meeting>,
    /// The published outputs of all sinks: the sink's name and the checkpoint.
    published: Arc<Mutex<BTreeSet<(&'static str, u64)>>>,
}

impl SinkConnector for Meets {
    fn connector(&self) -> &'static str {
        "meets"
    }

    fn is_exactly_once(&self) -> bool {
        true
    }

    fn recover(&self, start: &SinkStart) -> Result<(), ConnectorError> {
        if !start.pending.is_empty() {
            let mut published = self.published.lock().unwrap();
            published.insert((self.name, start.checkpoint.0));
        }
        Ok(())
    }

    fn open(&self, _: &SubtaskId, _: Lineage, _: u64) -> Result<Box<dyn Sink>, ConnectorError> {
        Ok(Box::new(self.clone()))
    }

    fn commit(
        &self,
        checkpoint: CheckpointId,
        pending: &[PendingOutput],
    ) -> Result<(), ConnectorError> {
        assert!(!pending.is_empty(), "a sink without output need not commit");
        if !self.meeting.join(self.name) {
            let reason = "waited in vain for the commit of another sink".to_owned();
            return Err(ConnectorError::StateRefused { reason });
        }
        match self.commits {
            Commits::Well => {
                let mut published = self.published.lock().unwrap();
                published.insert((self.name, checkpoint.0));
                Ok(())
            }
            Commits::InVain => Err(ConnectorError::Io {
                action: format!("publish for {}", self.name),
                source: io::Error::other("a planned failure"),
            }),
            Commits::IntoAnotherPlace => Err(ConnectorError::StateRefused {
                reason: format!("the place of {} is not its own", self.name),
            }),
        }
    }
}

impl Sink for Meets {
    fn write(&mut self, _: &Batch) -> Result<(), ConnectorError> {
        Ok(())
    }

    fn pre_commit(&mut self, _: CheckpointId) -> Result<PreCommit, ConnectorError> {
        Ok(Box::new(|| Ok(vec![PendingOutput(b"output".to_vec())])))
    }
}

/// A job without restarts, whose checkpoints are taken only on request.
struct Publishing {
    running: Running,
    allow: Allowance,
    published: Arc<Mutex<BTreeSet<(&'static str, u64)>>>,
}

fn start(directory: &Path, sinks: &[(&'static str, Commits)]) -> Publishing {
    let faults = Faults::none();
    let (numbers, allow) = Numbers::held("a", &faults);
    let published = Arc::default();
    let mut builder = JobBuilder::new(&faults)
        .source(&numbers, 1)
        .settings(|settings| {
            settings.checkpoint.interval = Duration::from_secs(3600);
            settings.restart = RestartSettings::None;
        });
    for (name, _) in sinks {
        builder = builder.sink(name, &Output::new(&faults), 1, &[("a", Forward)]);
    }
    let mut job = builder.build();
    let meeting = Meeting::of(sinks.len());
    for (name, commits) in sinks {
        let sink = Meets {
            name,
            commits: *commits,
            meeting: Arc::clone(&meeting),
            published: Arc::clone(&published),
        };
        job.sinks.insert((*name).to_owned(), Arc::new(sink));
    }
    Publishing {
        running: start_built(job, directory, RunOptions::default()),
        allow,
        published,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_sink_commits_while_the_others_do() {
    let directory = tempfile::tempdir().unwrap();
    let sinks = [
        ("x", Commits::Well),
        ("y", Commits::Well),
        ("z", Commits::Well),
    ];
    let job = start(directory.path(), &sinks);
    job.allow.give(10);
    let first = job.running.checkpoint().await.unwrap();
    let published: Vec<_> = job.published.lock().unwrap().iter().copied().collect();
    assert_eq!(published, [("x", first), ("y", first), ("z", first)]);
    job.running.stop().await.unwrap();
    assert!(matches!(
        job.running.end().await,
        Ok(Outcome::Stopped { .. })
    ));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sink_that_fails_to_commit_stops_no_other() {
    let directory = tempfile::tempdir().unwrap();
    let job = start(
        directory.path(),
        &[("x", Commits::InVain), ("y", Commits::Well)],
    );
    job.running.checkpoint().await.unwrap_err();
    let error = job.running.end().await.unwrap_err();
    assert_eq!(
        tidegate_operator::with_causes(&error),
        "x[0]: publish for x: a planned failure"
    );
    let published: Vec<_> = job.published.lock().unwrap().iter().copied().collect();
    assert_eq!(published, [("y", 1)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_sink_that_fails_to_commit_is_reported_and_the_gravest_decides() {
    let directory = tempfile::tempdir().unwrap();
    let sinks = [
        ("x", Commits::InVain),
        ("y", Commits::Well),
        ("z", Commits::IntoAnotherPlace),
    ];
    let job = start(directory.path(), &sinks);
    job.running.checkpoint().await.unwrap_err();
    let error = job.running.end().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "2 sinks could not publish: x[0]: publish for x: a planned failure; \
         z[0]: the place of z is not its own"
    );
    assert_eq!(error.kind(), JobErrorKind::StateUnusable);
    assert!(!error.may_restart());
    let published: Vec<_> = job.published.lock().unwrap().iter().copied().collect();
    assert_eq!(published, [("y", 1)]);
}

/// A sink with pending output that its connector never publishes.
struct Forgetful;

impl SinkConnector for Forgetful {
    fn connector(&self) -> &'static str {
        "forgetful"
    }

    fn is_exactly_once(&self) -> bool {
        true
    }

    fn open(&self, _: &SubtaskId, _: Lineage, _: u64) -> Result<Box<dyn Sink>, ConnectorError> {
        Ok(Box::new(Self))
    }
}

impl Sink for Forgetful {
    fn write(&mut self, _: &Batch) -> Result<(), ConnectorError> {
        Ok(())
    }

    fn pre_commit(&mut self, _: CheckpointId) -> Result<PreCommit, ConnectorError> {
        Ok(Box::new(|| Ok(vec![PendingOutput(b"output".to_vec())])))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pending_output_that_a_connector_does_not_publish_ends_the_job() {
    let directory = tempfile::tempdir().unwrap();
    let faults = Faults::none();
    let (numbers, _allow) = Numbers::held("a", &faults);
    let builder = JobBuilder::new(&faults).source(&numbers, 1);
    let mut job = builder
        .sink("x", &Output::new(&faults), 1, &[("a", Forward)])
        .build();
    job.sinks.insert("x".to_owned(), Arc::new(Forgetful));
    let running = start_built(job, directory.path(), RunOptions::default());
    let error = running.end().await.unwrap_err();
    assert_eq!(error.kind(), JobErrorKind::StateUnusable);
    let message = error.to_string();
    assert!(
        message.starts_with(
            "x[0]: checkpoint 1 lists 1 piece(s) of pending output, but the connector `forgetful` \
             publishes no output"
        ),
        "{message}"
    );
}
