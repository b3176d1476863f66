//! Restore drills beside a running job: starts them, waits for them, reports their outcomes.
//!
//! A drill runs on a thread for blocking work, off the data path, and only reads; its checkpoint is
//! held against retention meanwhile. It outlives an attempt that fails, and is told to stop when
//! the job is over. A failed drill is logged at WARN and changes nothing else: the job
//! continues.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tidegate_checkpoint::CheckpointStore;

use super::drill_schedule::{DrillOutcome, DrillSchedule};
use super::{Drill, DrillReport};
use crate::config::CheckpointSettings;
use crate::executor::{Blocking, Executor, NotDone, blocking};
use crate::job::Job;
use crate::observe::{DrillStatus, TOLD};
use crate::wall_clock::unix_millis;
use crate::{CheckpointId, JobError, SubtaskId};

/// The drills of a job.
#[derive(Default)]
pub(crate) struct Drills {
    schedule: DrillSchedule,
    running: Option<Blocking<DrillOutcome>>,
    is_over: Arc<AtomicBool>,
}

impl Drills {
    pub(crate) fn new(settings: &CheckpointSettings) -> Self {
        Self {
            schedule: DrillSchedule::new(settings.drill_every),
            ..Self::default()
        }
    }

    pub(crate) fn status(&self) -> &DrillStatus {
        self.schedule.status()
    }

    /// Returns the checkpoint that retention must leave.
    pub(crate) fn held(&self) -> Option<CheckpointId> {
        self.status().in_progress.map(CheckpointId)
    }

    /// Called when a checkpoint is complete and published. Starts its drill if one is due.
    pub(crate) fn on_completed(
        &mut self,
        executor: &dyn Executor,
        job: &Arc<Job>,
        store: &Arc<dyn CheckpointStore>,
        checkpoint: CheckpointId,
    ) {
        if !self.schedule.on_completed(checkpoint) {
            return;
        }
        let (job, store) = (Arc::clone(job), Arc::clone(store));
        let is_over = Arc::clone(&self.is_over);
        let work = move || {
            let goes_on = || !is_over.load(Ordering::Relaxed);
            outcome(
                &*store,
                checkpoint,
                drilled(&job, &*store, checkpoint, &goes_on),
            )
        };
        self.running = Some(blocking(executor, work));
    }

    /// Waits until the running drill is over; for ever if there is none. Cancel-safe.
    pub(crate) async fn over(&mut self) {
        let Some(running) = &mut self.running else {
            return std::future::pending().await;
        };
        let outcome = running.await.unwrap_or_else(|not_done| match not_done {
            NotDone::Refused(error) => {
                tracing::warn!("could not start a thread for a restore drill: {error}");
                DrillOutcome::Stopped
            }
            NotDone::Panicked(message) => {
                DrillOutcome::Failed(format!("a bug in tidegate: {message}"))
            }
        });
        self.running = None;
        if let DrillOutcome::Failed(reason) = &outcome {
            let checkpoint = self.held().expect("a drill has a checkpoint");
            tracing::warn!(
                target: TOLD, %checkpoint,
                "RESTORE DRILL FAILED, the job continues: {reason}"
            );
        }
        self.schedule.on_over(outcome);
    }

    /// Ends the running drill, at the latest when its guest call is over.
    pub(crate) async fn shut_down(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        if self.running.is_some() {
            self.over().await;
        }
    }
}

/// Restores a checkpoint that this job has taken. Blocking.
fn drilled(
    job: &Job,
    store: &dyn CheckpointStore,
    checkpoint: CheckpointId,
    goes_on: &dyn Fn() -> bool,
) -> Result<Option<DrillReport>, JobError> {
    let manifest = store.load(checkpoint)?;
    let read = |subtask: &SubtaskId, file: &_| store.read_state(&manifest, subtask, file);
    let drill = Drill {
        job,
        manifest: &manifest,
        read: &read,
        goes_on,
    };
    drill.run()
}

fn outcome(
    store: &dyn CheckpointStore,
    checkpoint: CheckpointId,
    drilled: Result<Option<DrillReport>, JobError>,
) -> DrillOutcome {
    let report = match drilled {
        Ok(Some(report)) => report,
        Ok(None) => return DrillOutcome::Stopped,
        Err(error) => return DrillOutcome::Failed(tidegate_operator::with_causes(&error)),
    };
    let problems: Vec<String> = report.problems().collect();
    if !problems.is_empty() {
        return DrillOutcome::Failed(problems.join("; "));
    }
    if let Err(error) = store.mark_proven(checkpoint, unix_millis()) {
        let error = tidegate_operator::with_causes(&error);
        tracing::warn!(
            %checkpoint,
            "a drill has proven the checkpoint, but the mark could not be stored: {error}"
        );
    }
    DrillOutcome::Proven
}
