//! Attempts that are over while a part of them is inside a call that does not return.

use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use tidegate_checkpoint::Partitioning::Hash;
use tidegate_connector::sink::{PendingOutput, PreCommit, Sink, SinkConnector};
use tidegate_connector::{CheckpointId, ConnectorError, Lineage, SubtaskId};
use tidegate_operator::Batch;
use tidegate_runtime::{JobError, Outcome, RunOptions};

use crate::support::faults::{Call, Faults};
use crate::support::jobs::{JobBuilder, Running, start_built};
use crate::support::operators::Kind;
use crate::support::sinks::Output;
use crate::support::sources::{Allowance, Numbers};

/// A sink whose writes, or publications, return only when it is released.
#[derive(Clone, Default)]
struct Blocked {
    place: Place,
    state: Arc<(Mutex<State>, Condvar)>,
}

/// The call that does not return.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Place {
    #[default]
    Write,
    Publication,
}

#[derive(Default)]
struct State {
    has_blocked: bool,
    is_released: bool,
}

impl Blocked {
    fn block_at(&self, place: Place) {
        if place != self.place {
            return;
        }
        let (state, changed) = &*self.state;
        let mut state = state.lock().unwrap();
        state.has_blocked = true;
        changed.notify_all();
        while !state.is_released {
            state = changed.wait(state).unwrap();
        }
    }

    fn wait_until_it_blocks(&self) {
        let (state, changed) = &*self.state;
        let mut state = state.lock().unwrap();
        while !state.has_blocked {
            state = changed.wait(state).unwrap();
        }
    }

    /// Lets the calls return, so that their thread ends with the test.
    fn release(&self) {
        let (state, changed) = &*self.state;
        state.lock().unwrap().is_released = true;
        changed.notify_all();
    }
}

impl SinkConnector for Blocked {
    fn connector(&self) -> &'static str {
        "blocked"
    }

    fn is_exactly_once(&self) -> bool {
        false
    }

    fn open(&self, _: &SubtaskId, _: Lineage, _: u64) -> Result<Box<dyn Sink>, ConnectorError> {
        Ok(Box::new(self.clone()))
    }

    fn commit(&self, _: CheckpointId, _: &[PendingOutput]) -> Result<(), ConnectorError> {
        self.block_at(Place::Publication);
        Ok(())
    }
}

impl Sink for Blocked {
    fn write(&mut self, _: &Batch) -> Result<(), ConnectorError> {
        self.block_at(Place::Write);
        Ok(())
    }

    fn pre_commit(&mut self, _: CheckpointId) -> Result<PreCommit, ConnectorError> {
        Ok(Box::new(|| Ok(vec![PendingOutput(b"output".to_vec())])))
    }
}

/// Starts a job with this bound, and waits until its sink blocks.
fn start(faults: &Faults, blocked: &Blocked, margin: Duration) -> Blocking {
    let directory = tempfile::tempdir().unwrap();
    let (numbers, allow) = Numbers::held("a", faults);
    let mut job = JobBuilder::new(faults)
        .settings(|settings| settings.shut_down_margin = margin)
        .source(&numbers, 1)
        .operator("pass", Kind::Pass, 1, &[("a", Hash)])
        .sink("out", &Output::new(faults), 1, &[("pass", Hash)])
        .build();
    job.sinks
        .insert("out".to_owned(), Arc::new(blocked.clone()));
    let running = start_built(job, directory.path(), RunOptions::default());
    allow.give(numbers.batch);
    tokio::task::block_in_place(|| blocked.wait_until_it_blocks());
    Blocking {
        running,
        allow,
        more: 2 * numbers.batch,
        _directory: directory,
    }
}

struct Blocking {
    running: Running,
    allow: Allowance,
    /// The number of records that makes a second batch.
    more: u64,
    _directory: tempfile::TempDir,
}

const SHORT: Duration = Duration::from_millis(300);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sink_that_does_not_return_is_named_when_its_job_is_cancelled() {
    let (faults, blocked) = (Faults::none(), Blocked::default());
    let job = start(&faults, &blocked, SHORT);
    job.running.cancel().await;
    let error = job.running.end().await.unwrap_err();
    blocked.release();
    let message = error.to_string();
    let JobError::NotReturned { what, within, .. } = error else {
        panic!("{message}");
    };
    assert_eq!((what.as_str(), within), ("out[0]", SHORT));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_publication_that_does_not_return_is_named_when_its_job_is_cancelled() {
    let faults = Faults::none();
    let blocked = Blocked {
        place: Place::Publication,
        ..Blocked::default()
    };
    let job = start(&faults, &blocked, SHORT);
    job.running.cancel().await;
    let error = job.running.end().await.unwrap_err();
    blocked.release();
    let message = error.to_string();
    let JobError::NotReturned { what, .. } = error else {
        panic!("{message}");
    };
    assert_eq!(what, "the commit or publication of a checkpoint");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn there_is_no_other_attempt_beside_a_sink_that_does_not_return() {
    let (faults, blocked) = (Faults::at(&[(Call::Process, 2)]), Blocked::default());
    let job = start(&faults, &blocked, SHORT);
    let handle = job.running.handle.clone();
    job.allow.give(job.more);
    let error = job.running.end().await.unwrap_err();
    blocked.release();
    let message = error.to_string();
    let JobError::NotReturned { failure, .. } = error else {
        panic!("{message}");
    };
    assert_eq!(faults.fired(), [(Call::Process, 2)]);
    assert!(failure.is_some(), "{message}");
    assert!(
        message.contains("out[0] did not return within"),
        "{message}"
    );
    assert_eq!(handle.status().restarts, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sink_that_returns_within_the_bound_is_waited_for() {
    let (faults, blocked) = (Faults::none(), Blocked::default());
    let job = start(&faults, &blocked, Duration::from_secs(3_600));
    job.running.cancel().await;
    blocked.release();
    assert_eq!(job.running.end().await.unwrap(), Outcome::Cancelled);
}
