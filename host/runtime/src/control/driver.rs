//! Barrier path: **driver** → coordinator → **driver** → chain loop.
//!
//! THE loop of the control path: hands events, commands and time to the coordinator and performs
//! its actions. Decides nothing about checkpoints itself.

mod parts;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tidegate_checkpoint::{CheckpointKind, Manifest, StoreError};
use tokio::sync::mpsc::error::TrySendError;
use tokio::time::Instant;

use super::attempt_end::{AttemptEnd, Step, failed, reading_not_returned};
use super::deploy::Deployment;
use super::discovery::Discovered;
use super::publication::{self, Publication};
use super::waiters::Waiters;
use super::work::{Work, WorkDone};
use crate::config::limits::{ISOLATION_INTERVAL, STATUS_INTERVAL};
use crate::executor::blocking;
use crate::job::{JobCommand, JobControl, Outcome};
use crate::observe::{
    CheckpointStatus, CompletedSummary, JobState, JobStatus, SubtaskMetrics, TOLD,
};
use crate::protocol::{AcknowledgedCheckpoint, Action, ChainEvent, ControlMessage, JobEnd};
use crate::wall_clock::unix_millis;
use crate::{ChainId, CheckpointId, JobError, SubtaskId};

pub(crate) use parts::{DriverEnd, DriverStart};

/// Drives one attempt.
pub(crate) struct Driver {
    start: DriverStart,
    deployment: Deployment,
    /// The counters of the source subtasks.
    sources: BTreeMap<SubtaskId, Arc<SubtaskMetrics>>,
    /// Chains that have not opened yet.
    starting: usize,
    /// Commands that arrived before the job ran.
    early: Vec<JobCommand>,
    /// False once no one can send a command any more.
    takes_commands: bool,
    work: Work,
    /// The checkpoint that is being committed and published, with its manifest.
    current: Option<(Manifest, CompletedSummary, Option<JobEnd>)>,
    waiters: Waiters,
    /// Counts of all attempts of this process.
    history: CheckpointStatus,
}

impl Driver {
    /// Takes the counts of earlier attempts as `history`.
    pub(crate) fn new(
        mut start: DriverStart,
        deployment: Deployment,
        history: CheckpointStatus,
    ) -> Self {
        Self {
            history,
            starting: deployment.controls.len(),
            early: std::mem::take(&mut start.pending),
            takes_commands: true,
            sources: start.metrics.sources(&start.job.graph),
            start,
            deployment,
            work: Work::None,
            current: None,
            waiters: Waiters::default(),
        }
    }

    /// Returns the parts that outlive the attempt.
    pub(crate) fn into_end(mut self) -> DriverEnd {
        let mut pending = self.waiters.take_commands();
        pending.append(&mut self.early);
        DriverEnd {
            deployment: self.deployment,
            drills: self.start.drills,
            isolation: self.start.isolation,
            pending,
        }
    }

    /// Runs until the attempt is over. The chains still exist then.
    pub(crate) async fn run(&mut self, control: &mut JobControl) -> AttemptEnd {
        let end = self.run_loop(control).await;
        let within = self.start.job.shut_down_within();
        let end = self.work.wind_up(within, end).await;
        let end = match self.start.discovery.wind_up(within).await {
            Ok(()) => end,
            Err(what) => reading_not_returned(what, within, end),
        };
        self.show_status(control);
        // The checkpoint in flight ended with the attempt.
        let in_flight = |status: &mut JobStatus| status.checkpoints.in_progress = None;
        control.status.send_modify(in_flight);
        end
    }

    async fn run_loop(&mut self, control: &mut JobControl) -> AttemptEnd {
        let mut status_shown = Instant::now();
        loop {
            let interval = match self.start.isolation.is_replaying() {
                true => ISOLATION_INTERVAL,
                false => STATUS_INTERVAL,
            };
            let is_running = self.starting == 0;
            let tick = self.start.coordinator.next_tick().filter(|_| is_running);
            let tick_at = tick.map(|tick| self.start.started + tick);
            // Every branch is cancel-safe: a receive loses nothing, and work continues by itself.
            let step = tokio::select! {
                biased;
                error = self.deployment.tasks.failed() => failed(error),
                event = self.deployment.events.recv() => match event {
                    Some(event) => self.on_event(event, control),
                    None => failed(JobError::Died {
                        task: "every chain".to_owned(),
                        reason: "no chain reported a failure".to_owned(),
                    }),
                },
                done = self.work.finish(), if !matches!(self.work, Work::None) => {
                    self.work = Work::None;
                    match done {
                        Some(done) => self.on_work_done(done, control),
                        None => Ok(()),
                    }
                }
                command = control.commands.recv(), if self.takes_commands => match command {
                    Some(command) => self.on_command(command),
                    None => {
                        self.takes_commands = false;
                        Ok(())
                    }
                },
                () = sleep_until(tick_at) => {
                    let now = self.now();
                    let actions = self.start.coordinator.on_tick(now);
                    self.perform(actions)
                }
                () = self.start.drills.over() => {
                    self.show_status(control);
                    Ok(())
                }
                found = self.start.discovery.next(&*self.start.executor), if is_running => {
                    match found {
                        Ok(found) => {
                            let controls = &self.deployment.controls;
                            self.start.discovery.deliver(found, controls);
                            Ok(())
                        }
                        Err(error) => failed(error),
                    }
                }
                () = sleep_until(Some(status_shown + interval)) => {
                    status_shown = Instant::now();
                    self.show_status(control);
                    let controls = &self.deployment.controls;
                    self.start.discovery.deliver(Discovered::new(), controls);
                    self.on_isolation_tick()
                }
            };
            if let Err(end) = step {
                return *end;
            }
        }
    }

    fn now(&self) -> Duration {
        self.start.started.elapsed()
    }

    fn on_event(&mut self, event: ChainEvent, control: &JobControl) -> Step {
        let now = self.now();
        let actions = match event {
            ChainEvent::Running => return self.on_running(control),
            ChainEvent::Acknowledged(acknowledgement) => {
                self.start.coordinator.on_acknowledged(acknowledgement)
            }
            ChainEvent::Declined {
                chain,
                checkpoint,
                reason,
            } => {
                let chain = &self.start.descriptions[chain.0 as usize];
                let reason = format!("{chain}: {reason}");
                self.start.coordinator.on_declined(checkpoint, reason, now)
            }
            ChainEvent::WantsCheckpoint(urgency) => {
                self.start.coordinator.on_wish(urgency, now);
                Vec::new()
            }
            ChainEvent::DeadLetters { letters, after } => {
                self.start.isolation.on_dead_letters(letters, after, now);
                Vec::new()
            }
            ChainEvent::Rejected { letters, after } => {
                self.start.isolation.on_rejected(letters, after);
                Vec::new()
            }
            ChainEvent::Ended(chain) => self.start.coordinator.on_ended(chain, now),
            ChainEvent::Failed(error) => return failed(*error),
        };
        self.perform(actions)
    }

    fn on_running(&mut self, control: &JobControl) -> Step {
        self.starting -= 1;
        // A status is as long as the job: until all chains run, only the clock refreshes it.
        if self.starting > 0 {
            return Ok(());
        }
        self.show_status(control);
        self.start.isolation.on_running(self.now());
        let mut early = std::mem::take(&mut self.early).into_iter();
        early.try_for_each(|command| self.on_command(command))
    }

    fn on_isolation_tick(&mut self) -> Step {
        let sources = &self.sources;
        let has_given = |id: &SubtaskId, records| {
            let source = sources.get(id);
            source.is_none_or(|source| source.has_given(records))
        };
        let discovery = &self.start.discovery;
        let given_together = |source: &str| {
            let subtasks = sources.iter().filter(|(id, _)| id.operator == source);
            let given = subtasks.map(|(_, subtask)| subtask.records_out());
            discovery.is_of(source).then(|| given.sum())
        };
        if !self.start.isolation.on_tick(has_given, given_together) {
            return Ok(());
        }
        let now = self.now();
        let actions = self.start.coordinator.on_request(now);
        self.perform(actions)
    }

    fn on_checkpoint_complete(&mut self, checkpoint: CheckpointId, control: &JobControl) -> Step {
        self.start.metrics.on_checkpoint_complete();
        let settled = self.start.isolation.on_complete(checkpoint, self.now());
        control.status.send_modify(|status: &mut JobStatus| {
            status.invalid_records.dead_letters += settled.dead_letters;
        });
        if settled.isolation_is_over {
            self.tell_all(ControlMessage::EndIsolation)?;
        }
        Ok(())
    }

    fn on_command(&mut self, command: JobCommand) -> Step {
        let now = self.now();
        let actions = match command {
            JobCommand::Cancel => return Err(Box::new(AttemptEnd::Done(Outcome::Cancelled))),
            command if self.starting > 0 => {
                self.early.push(command);
                Vec::new()
            }
            JobCommand::Checkpoint { reply } => {
                self.waiters.await_checkpoint(reply);
                self.start.coordinator.on_request(now)
            }
            JobCommand::Savepoint { directory, reply } => {
                self.waiters.await_savepoint(directory, reply);
                self.start.coordinator.on_request(now)
            }
            JobCommand::Stop {
                drain,
                savepoint,
                reply,
            } => {
                self.waiters.await_stop(drain, savepoint, reply);
                self.start.coordinator.on_stop(drain, now)
            }
        };
        self.perform(actions)
    }

    fn on_work_done(&mut self, done: WorkDone, control: &JobControl) -> Step {
        let now = self.now();
        let actions = match done {
            // No one knows whether the checkpoint is complete, or whose the directory is.
            WorkDone::Committed(Err(
                error @ (StoreError::CommitUncertain { .. } | StoreError::Corrupt { .. }),
            )) => return failed(error.into()),
            WorkDone::Committed(result) => {
                let result = result.map_err(|error| tidegate_operator::with_causes(&error));
                self.start.coordinator.on_committed(result, now)
            }
            WorkDone::Published(Err(error)) | WorkDone::NotDone(error) => return failed(error),
            WorkDone::Published(Ok(published)) => {
                let checkpoint = CheckpointId(published.summary.checkpoint);
                self.history.completed += 1;
                self.history.last_completed = Some(published.summary);
                self.on_checkpoint_complete(checkpoint, control)?;
                self.waiters.on_published(checkpoint, &published.exported);
                if !self.waiters.is_stopping() {
                    let (job, store) = (&self.start.job, &self.start.store);
                    let executor = &*self.start.executor;
                    let drills = &mut self.start.drills;
                    drills.on_completed(executor, job, store, checkpoint);
                }
                self.show_status(control);
                self.start.coordinator.on_published(now)
            }
        };
        self.perform(actions)
    }

    fn perform(&mut self, actions: Vec<Action>) -> Step {
        actions
            .into_iter()
            .try_for_each(|action| self.perform_one(action))
    }

    fn perform_one(&mut self, action: Action) -> Step {
        match action {
            Action::Trigger {
                checkpoint,
                chains,
                suspend,
            } => {
                self.waiters.on_triggered(checkpoint);
                self.start.isolation.on_triggered(checkpoint);
                let message = ControlMessage::Trigger {
                    checkpoint,
                    suspend,
                };
                chains
                    .into_iter()
                    .try_for_each(|chain| self.tell(chain, message.clone()))
            }
            Action::EndSources => {
                let sources = self.start.source_chains.clone();
                let mut sources = sources.into_iter();
                sources.try_for_each(|chain| self.tell(chain, ControlMessage::EndSources))
            }
            Action::Commit(acknowledged) => {
                self.commit(acknowledged);
                Ok(())
            }
            Action::Publish(checkpoint) => self.publish(checkpoint),
            Action::Abandon { checkpoint, reason } => {
                tracing::warn!(target: TOLD, %checkpoint, "checkpoint failed: {reason}");
                self.history.failed += 1;
                self.history.last_failure = Some(format!("checkpoint {checkpoint}: {reason}"));
                self.waiters.on_abandoned(checkpoint, &reason);
                Ok(())
            }
            Action::GiveUp {
                failures,
                checkpoint,
                reason,
            } => failed(JobError::CheckpointsKeepFailing {
                failures,
                checkpoint,
                reason,
            }),
            Action::Done { checkpoint, end } => self.finish_job(checkpoint, end),
        }
    }

    fn tell(&self, chain: ChainId, message: ControlMessage) -> Step {
        let index = chain.0 as usize;
        match self.deployment.controls[index].try_send(message) {
            // A chain that is gone has failed; its own report states the reason.
            Ok(()) | Err(TrySendError::Closed(_)) => Ok(()),
            Err(TrySendError::Full(_)) => failed(JobError::Unresponsive {
                chain: self.start.descriptions[index].clone(),
            }),
        }
    }

    fn tell_all(&self, message: ControlMessage) -> Step {
        let chains =
            0..u32::try_from(self.deployment.controls.len()).expect("fewer than 2^32 chains");
        chains
            .into_iter()
            .try_for_each(|chain| self.tell(ChainId(chain), message.clone()))
    }

    fn commit(&mut self, acknowledged: AcknowledgedCheckpoint) {
        let now = self.now();
        let kind = match acknowledged.end {
            Some(JobEnd::Finished) => CheckpointKind::Final,
            Some(JobEnd::Stopped) | None => CheckpointKind::Running,
        };
        let manifest = Manifest {
            checkpoint: acknowledged.checkpoint,
            lineage: self.start.identity.lineage,
            origin: self.start.origin.clone(),
            attempt: self.start.identity.attempt,
            created_at_ms: unix_millis(),
            kind,
            graph: self.start.job.graph.clone(),
            subtasks: acknowledged.snapshots,
        };
        let summary = CompletedSummary {
            checkpoint: acknowledged.checkpoint.0,
            duration_ms: (now - acknowledged.triggered_at).as_secs_f64() * 1e3,
            longest_snapshot_ms: acknowledged.longest_pause.as_secs_f64() * 1e3,
            state_bytes: manifest.state_files().map(|(_, file)| file.length).sum(),
            completed_at_ms: manifest.created_at_ms,
        };
        self.current = Some((manifest.clone(), summary, acknowledged.end));
        let store = Arc::clone(&self.start.store);
        let commit = move || store.complete(&manifest);
        self.work = Work::Committing(blocking(&*self.start.executor, commit));
    }

    fn publish(&mut self, checkpoint: CheckpointId) -> Step {
        let current = self.current.take();
        let (manifest, summary, end) = current.expect("a published checkpoint was committed");
        assert_eq!(
            manifest.checkpoint, checkpoint,
            "publication follows its commit"
        );
        self.tell_all(ControlMessage::Complete(checkpoint))?;
        let publication = Publication {
            manifest,
            summary,
            exports: self.waiters.exports(end.is_some()),
            retain: self.start.job.settings.checkpoint.retain,
            held: self.start.drills.held(),
        };
        let (job, store) = (Arc::clone(&self.start.job), Arc::clone(&self.start.store));
        let executor = Arc::clone(&self.start.executor);
        let published = publication::publish(executor, job, store, publication);
        self.work = Work::Publishing(Box::pin(published));
        Ok(())
    }

    fn finish_job(&mut self, checkpoint: CheckpointId, end: JobEnd) -> Step {
        self.tell_all(ControlMessage::Shutdown)?;
        self.waiters.on_done();
        let outcome = match end {
            JobEnd::Finished => Outcome::Finished,
            JobEnd::Stopped => Outcome::Stopped { checkpoint },
        };
        Err(Box::new(AttemptEnd::Done(outcome)))
    }

    fn show_status(&self, control: &JobControl) {
        let mut nodes = self.start.metrics.node_status(&self.start.job.graph);
        for node in &mut nodes {
            let sink = self.start.job.sinks.get(&node.name);
            node.sink_lag = sink.and_then(|sink| sink.lag());
        }
        let is_source = |kind| kind == tidegate_checkpoint::NodeKind::Source;
        let sources = nodes.iter().filter(|node| is_source(node.kind));
        let records: u64 = sources.map(|node| node.records_out).sum();
        let state = match (self.starting, self.waiters.is_stopping()) {
            (0, false) => JobState::Running,
            (0, true) => JobState::Stopping,
            _ => JobState::Restoring,
        };
        let uptime = u64::try_from(self.now().as_millis()).unwrap_or(u64::MAX);
        control.status.send_modify(|status: &mut JobStatus| {
            status.state = state;
            status.uptime_ms = uptime;
            status.source_records = self.start.records_before + records;
            status.nodes = nodes;
            status.checkpoints = self.history.clone();
            status.checkpoints.drills = self.start.drills.status().clone();
            let in_progress = self.start.coordinator.in_progress();
            status.checkpoints.in_progress = in_progress.map(|checkpoint| checkpoint.0);
        });
    }
}

async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}
