//! A job from its start to its end: its attempts and the restarts between them.
//!
//! Chains are started and joined only here. Each attempt begins with the newest complete checkpoint
//! in the store and ends when the driver says so; after a failure the restart strategy decides.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tidegate_checkpoint::{CheckpointStore, DEAD_LETTER_PORT};
use tokio::time::Instant;

use super::attempt_end::AttemptEnd;
use super::deploy::{Attempt, NotReturned, deploy};
use super::discovery::Discovery;
use super::driver::{Driver, DriverStart};
use super::restore::Restore;
use crate::config::limits::COMMAND_CAPACITY;
use crate::config::{RecordPolicies, RecordPolicy, RestartSettings};
use crate::drill::Drills;
use crate::executor::{Executor, Threads, blocking};
use crate::graph::ExecutionGraph;
use crate::isolation::{AfterFault, IsolationPlan, IsolationPlanner, IsolationWatch};
use crate::job::{CommandError, Job, JobCommand, JobControl, Outcome, RunOptions, StartFrom};
use crate::observe::{AttemptMetrics, JobState, JobStatus, TOLD};
use crate::protocol::Coordinator;
use crate::recovery::RestartStrategy;
use crate::{CheckpointId, JobError};

/// Runs a job until it has finished, is stopped or cancelled, or has failed for good. Must be
/// called within a tokio runtime with time enabled. `store` is the result of [`crate::prepare`].
///
/// # Errors
///
/// The reason why the job failed. Complete checkpoints stay: the next run continues from there.
pub async fn run(
    job: Job,
    store: Arc<dyn CheckpointStore>,
    options: RunOptions,
    control: JobControl,
) -> Result<Outcome, JobError> {
    let threads = Threads::start().map_err(|source| JobError::NoThread {
        chain: "blocking work".to_owned(),
        source,
    })?;
    run_on(Arc::new(threads), job, store, options, control).await
}

/// Like [`run`], on an executor of the caller's: for simulations. Within a tokio runtime of one
/// thread whose time is paused, a deterministic executor makes the job deterministic.
///
/// # Errors
///
/// As [`run`].
pub async fn run_on(
    executor: Arc<dyn Executor>,
    job: Job,
    store: Arc<dyn CheckpointStore>,
    options: RunOptions,
    control: JobControl,
) -> Result<Outcome, JobError> {
    let restart = RestartStrategy::new(job.settings.restart.clone());
    let drills = Drills::new(&job.settings.checkpoint);
    let isolation = IsolationPlanner::new(job.settings.isolation.clone(), policies(&job));
    let mut supervisor = Supervisor {
        drills,
        executor,
        job: Arc::new(job),
        store,
        options,
        control,
        restart,
        isolation,
        started: Instant::now(),
        calm: Duration::ZERO,
        is_first_attempt: true,
        records_before: 0,
        pending: Vec::new(),
    };
    let result = supervisor.run().await;
    supervisor.end_drills().await;
    let state = match &result {
        Ok(Outcome::Finished | Outcome::AlreadyFinished) => JobState::Finished,
        Ok(Outcome::Stopped { .. }) => JobState::Stopped,
        Ok(Outcome::Cancelled) => JobState::Cancelled,
        Err(_) => JobState::Failed,
    };
    supervisor.control.status.send_modify(|status| {
        status.state = state;
        status.checkpoints.drills = supervisor.drills.status().clone();
        if let Err(error) = &result {
            status.last_failure = Some(tidegate_operator::with_causes(error));
        }
    });
    supervisor.answer_the_rest(state);
    result
}

/// Returns the record policies by operator, for operators whose dead letters have a reader. Without
/// a reader, a dead letter would be a lost record.
fn policies(job: &Job) -> BTreeMap<String, RecordPolicies> {
    let edges = job.graph.edges().iter();
    let read = edges.filter(|edge| edge.port == DEAD_LETTER_PORT);
    let operators = read.filter_map(|edge| job.operators.get_key_value(&edge.from));
    let policies = operators.map(|(name, part)| (name.clone(), part.policies));
    policies.collect()
}

/// Answers a command to a job that is over: the job may have stopped as the command asks.
fn answer(command: JobCommand, state: JobState, error: &CommandError) {
    if let JobCommand::Stop {
        drain,
        savepoint: None,
        reply,
    } = command
    {
        let has_stopped = state == JobState::Finished || state == JobState::Stopped && !drain;
        let answer = if has_stopped {
            Ok(None)
        } else {
            Err(error.clone())
        };
        // The other side may have gone away; it then needs no answer.
        drop(reply.send(answer));
        return;
    }
    refuse(command, error);
}

/// Answers a command that can't be carried out.
fn refuse(command: JobCommand, error: &CommandError) {
    // The other side may have gone away; it then needs no answer.
    match command {
        JobCommand::Checkpoint { reply } => drop(reply.send(Err(error.clone()))),
        JobCommand::Savepoint { reply, .. } => drop(reply.send(Err(error.clone()))),
        JobCommand::Stop { reply, .. } => drop(reply.send(Err(error.clone()))),
        JobCommand::Cancel => {}
    }
}

struct Supervisor {
    executor: Arc<dyn Executor>,
    job: Arc<Job>,
    store: Arc<dyn CheckpointStore>,
    options: RunOptions,
    control: JobControl,
    restart: RestartStrategy,
    /// The drills; they are with the driver while an attempt runs.
    drills: Drills,
    /// The planner, which knows the operators that fail on records.
    isolation: IsolationPlanner,
    started: Instant,
    /// The time for which the last attempt ran before it failed.
    calm: Duration,
    is_first_attempt: bool,
    /// The number of records that sources returned in earlier attempts of this process.
    records_before: u64,
    /// The commands that wait for the next attempt.
    pending: Vec<JobCommand>,
}

impl Supervisor {
    async fn run(&mut self) -> Result<Outcome, JobError> {
        loop {
            let failure = match self.attempt().await {
                Ok(outcome) => return Ok(outcome),
                Err(error) => error,
            };
            let is_last = !failure.may_restart();
            if is_last {
                return Err(failure);
            }
            let message = tidegate_operator::with_causes(&failure);
            let (after, wait) = self.wait_after(failure)?;
            tracing::warn!(target: TOLD, "attempt failed, restarting in {wait:?}: {message}");
            self.control.status.send_modify(|status| {
                status.state = JobState::Restarting;
                status.restarts += u32::from(after == AfterFault::Restart);
                status.isolation_restarts += u32::from(after == AfterFault::Isolate);
                status.last_failure = Some(message);
                self.records_before = status.source_records;
            });
            if let Some(outcome) = self.wait_for_restart(wait).await {
                return Ok(outcome);
            }
        }
    }

    /// Decides whether another attempt follows a failure, how it counts, and after which wait.
    fn wait_after(&mut self, failure: JobError) -> Result<(AfterFault, Duration), JobError> {
        let now = self.started.elapsed();
        match self.judge(&failure, now) {
            AfterFault::Isolate => return Ok((AfterFault::Isolate, Duration::ZERO)),
            AfterFault::GiveUp { restarts } => {
                return Err(JobError::IsolationExhausted {
                    restarts,
                    period: self.job.settings.isolation.period,
                    last: Box::new(failure),
                });
            }
            AfterFault::Restart => {}
        }
        match self.restart.on_failure(self.calm) {
            Some(wait) => Ok((AfterFault::Restart, wait)),
            None => Err(match self.job.settings.restart {
                RestartSettings::None => failure,
                RestartSettings::FixedDelay(_) | RestartSettings::ExponentialBackoff(_) => {
                    JobError::RestartsExhausted {
                        restarts: self.control.status.borrow().restarts,
                        last: Box::new(failure),
                    }
                }
            }),
        }
    }

    /// Decides what a failure means for the record behind it, if there is one.
    fn judge(&mut self, failure: &JobError, now: Duration) -> AfterFault {
        let JobError::Record(fault) = failure else {
            if failure.is_connectors_record() {
                self.count_failed_record();
            }
            return AfterFault::Restart;
        };
        if self.isolation.policy(fault) == RecordPolicy::Fail {
            self.count_failed_record();
        }
        self.isolation.on_fault(fault, now)
    }

    fn count_failed_record(&self) {
        let count = |status: &mut JobStatus| status.invalid_records.failed += 1;
        self.control.status.send_modify(count);
    }

    /// Answers the commands that the job has not carried out, and those that came when it was over.
    fn answer_the_rest(&mut self, state: JobState) {
        let error = CommandError::NotRunning {
            state: state.to_string(),
        };
        let pending = std::mem::take(&mut self.pending).into_iter();
        pending.for_each(|command| answer(command, state, &error));
        self.control.commands.close();
        while let Ok(command) = self.control.commands.try_recv() {
            answer(command, state, &error);
        }
    }

    /// Waits before the next attempt. A user who wants the job to end need not wait for it; other
    /// commands do.
    async fn wait_for_restart(&mut self, wait: Duration) -> Option<Outcome> {
        let restart_at = Instant::now() + wait;
        let mut pending = std::mem::take(&mut self.pending).into_iter();
        while let Some(command) = pending.next() {
            if let Some(outcome) = self.on_command_between_attempts(command).await {
                self.pending.extend(pending);
                return Some(outcome);
            }
        }
        loop {
            let command = tokio::select! {
                biased;
                () = tokio::time::sleep_until(restart_at) => return None,
                command = self.control.commands.recv() => command,
            };
            let Some(command) = command else {
                tokio::time::sleep_until(restart_at).await;
                return None;
            };
            if let Some(outcome) = self.on_command_between_attempts(command).await {
                return Some(outcome);
            }
        }
    }

    /// Returns the outcome of the job if the command ends it.
    async fn on_command_between_attempts(&mut self, command: JobCommand) -> Option<Outcome> {
        if matches!(command, JobCommand::Cancel) {
            return Some(Outcome::Cancelled);
        }
        let JobCommand::Stop {
            drain: false,
            savepoint: None,
            reply,
        } = command
        else {
            self.await_next_attempt(command);
            return None;
        };
        match self.settle().await {
            // The other side may have gone away; it then needs no answer.
            Ok(checkpoint) => {
                drop(reply.send(Ok(None)));
                Some(Outcome::Stopped { checkpoint })
            }
            Err(error) => {
                let error = tidegate_operator::with_causes(&error);
                tracing::warn!(target: TOLD, "the job can't stop yet: {error}");
                self.await_next_attempt(JobCommand::Stop {
                    drain: false,
                    savepoint: None,
                    reply,
                });
                None
            }
        }
    }

    /// Keeps a command for the next attempt, unless no one waits for it or too many wait.
    fn await_next_attempt(&mut self, command: JobCommand) {
        self.pending.retain(|waiting| !waiting.is_abandoned());
        if self.pending.len() < COMMAND_CAPACITY {
            self.pending.push(command);
            return;
        }
        let state = JobState::Restarting.to_string();
        refuse(command, &CommandError::NotRunning { state });
    }

    /// Publishes the output of the newest checkpoint, which is the last one while nothing runs.
    async fn settle(&self) -> Result<CheckpointId, JobError> {
        let restore = self.restore();
        self.restoring(move || restore.settle()).await
    }

    async fn restoring<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, JobError> + Send + 'static,
    ) -> Result<T, JobError> {
        blocking(&*self.executor, work)
            .await
            .unwrap_or_else(|not_done| Err(not_done.into_failure("the restore")))
    }

    fn restore(&self) -> Restore {
        Restore {
            job: Arc::clone(&self.job),
            store: Arc::clone(&self.store),
            options: self.options_of_attempt(),
            is_first_attempt: self.is_first_attempt,
        }
    }

    async fn attempt(&mut self) -> Result<Outcome, JobError> {
        self.calm = Duration::ZERO;
        let job = Arc::clone(&self.job);
        let restore = self.restore();
        let Some(restored) = self.restoring(move || restore.run()).await? else {
            // In a later attempt, this process itself finished the job, all but its publication.
            return Ok(if self.is_first_attempt {
                Outcome::AlreadyFinished
            } else {
                Outcome::Finished
            });
        };
        self.is_first_attempt = false;
        let (identity, checkpoint) = (restored.identity, restored.checkpoint);
        let graph = ExecutionGraph::new(&job.graph);
        let metrics = AttemptMetrics::new(&job.graph);
        let isolation = self.isolation_from(checkpoint);
        self.show_attempt(identity.attempt, checkpoint, &metrics);
        let descriptions: Vec<String> = graph.chains.iter().map(|c| c.describe()).collect();
        let coordinator = self.coordinator(&graph, &descriptions, checkpoint);
        let source_chains = graph.source_chains();
        let discovery = Discovery::new(restored.enumerators, graph.source_subtasks());
        let watch = IsolationWatch::new(isolation.as_deref());
        let deployment = deploy(
            graph,
            Attempt {
                job: Arc::clone(&job),
                identity: identity.clone(),
                checkpoint,
                starts: restored.starts,
                store: Arc::clone(&self.store),
                metrics: metrics.clone(),
                executor: Arc::clone(&self.executor),
                isolation,
            },
        );
        let mut driver = Driver::new(
            DriverStart {
                job,
                store: Arc::clone(&self.store),
                executor: Arc::clone(&self.executor),
                coordinator,
                identity,
                origin: restored.origin,
                source_chains,
                descriptions,
                metrics: metrics.clone(),
                isolation: watch,
                started: self.started,
                records_before: self.records_before,
                drills: std::mem::take(&mut self.drills),
                discovery,
                pending: std::mem::take(&mut self.pending),
            },
            deployment,
            self.control.status.borrow().checkpoints.clone(),
        );
        let end = driver.run(&mut self.control).await;
        let over = driver.into_end();
        self.drills = over.drills;
        self.pending = over.pending;
        let gone = over.deployment.shut_down().await;
        if let (AttemptEnd::Failed(_), Ok(())) = (&end, &gone) {
            self.remember(over.isolation, &metrics);
        }
        outcome_of(end, gone)
    }

    /// Returns the coordinator of an attempt that continues from a checkpoint.
    fn coordinator(
        &self,
        graph: &ExecutionGraph,
        descriptions: &[String],
        checkpoint: CheckpointId,
    ) -> Coordinator {
        Coordinator::new(
            self.job.settings.checkpoint.clone(),
            graph.chains.iter().map(|chain| chain.id),
            graph.source_chains(),
            checkpoint,
            self.started.elapsed(),
        )
        .named(descriptions.to_vec())
    }

    /// Waits for the drills. A drill that does not return is left behind like a chain.
    async fn end_drills(&mut self) {
        let within = self.job.shut_down_within();
        let ended = tokio::time::timeout(within, self.drills.shut_down());
        if ended.await.is_err() {
            tracing::warn!(
                "a restore drill did not return within {within:?}, so the job ends without it"
            );
        }
    }

    /// Returns the plan of an attempt that continues from a checkpoint; `None` for an ordinary one.
    fn isolation_from(&mut self, checkpoint: CheckpointId) -> Option<Arc<IsolationPlan>> {
        let covered = self.isolation.on_restored(checkpoint);
        let count = |status: &mut JobStatus| status.invalid_records.dead_letters += covered;
        self.control.status.send_modify(count);
        self.isolation.plan().map(Arc::new)
    }

    /// Keeps the experience of a failed attempt, once all of its chains are gone.
    fn remember(&mut self, watch: IsolationWatch, metrics: &AttemptMetrics) {
        let mut report = watch.into_report();
        report.given = metrics.given(&self.job.graph);
        let running_since = report.running_since;
        self.calm = running_since.map_or(Duration::ZERO, |since| self.started.elapsed() - since);
        self.isolation.on_attempt_failed(report);
    }

    /// Returns the options of the next attempt. Only the first attempt of a process starts where
    /// the user said; the others start at the newest checkpoint. A start from a savepoint is
    /// repeated until this process has completed a checkpoint: it detects an earlier import itself.
    /// After that the savepoint is not read again, since it may be gone.
    fn options_of_attempt(&self) -> RunOptions {
        let has_completed = self.control.status.borrow().checkpoints.completed > 0;
        let mut options = self.options.clone();
        options.start = match options.start {
            StartFrom::Fresh if self.is_first_attempt => StartFrom::Fresh,
            StartFrom::Path(path) if !has_completed => StartFrom::Path(path),
            StartFrom::Newest | StartFrom::Fresh | StartFrom::Path(_) => StartFrom::Newest,
        };
        options
    }

    fn show_attempt(&self, attempt: u64, checkpoint: CheckpointId, metrics: &AttemptMetrics) {
        let nodes = metrics.node_status(&self.job.graph);
        self.control.status.send_modify(|status: &mut JobStatus| {
            status.state = JobState::Restoring;
            status.attempt = attempt;
            status.restored_checkpoint = Some(checkpoint.0);
            status.nodes = nodes;
        });
    }
}

/// Returns the outcome of an attempt, whether or not its parts have returned.
fn outcome_of(end: AttemptEnd, gone: Result<(), NotReturned>) -> Result<Outcome, JobError> {
    match (end, gone) {
        (AttemptEnd::Done(outcome), Ok(())) => Ok(outcome),
        (AttemptEnd::Failed(error), Ok(())) => Err(error),
        (AttemptEnd::Done(Outcome::Cancelled), Err(late)) => Err(late.into_error(None)),
        (AttemptEnd::Failed(error), Err(late)) => Err(late.into_error(Some(error))),
        // All work is durable and published.
        (AttemptEnd::Done(outcome), Err(late)) => {
            tracing::warn!("{}", late.into_error(None));
            Ok(outcome)
        }
    }
}
