//! Jobs made of test parts, run by the real runtime over a real checkpoint directory.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tidegate_checkpoint::{
    DEAD_LETTER, DEAD_LETTER_PORT, Edge, JobGraph, Node, NodeKind, Partitioning,
};
use tidegate_connector::sink::SinkConnector;
use tidegate_connector::source::SourceConnector;
use tidegate_runtime::config::{
    CheckpointSettings, FixedDelay, JobSettings, RecordPolicies, RecordPolicy, RestartSettings,
};
use tidegate_runtime::observe::JobStatus;
use tidegate_runtime::{
    CommandError, Job, JobCommand, JobError, JobHandle, OperatorPart, Outcome, RunOptions,
    StartFrom, prepare, run,
};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::faults::Faults;
use super::leak::Leak;
use super::operators::{Kind, Native};
use super::poison::Poison;
use super::sinks::Output;
use super::sources::{Allowance, Numbers};

/// The time after which a test that still waits has failed.
const PATIENCE: Duration = Duration::from_secs(30);

/// A job under construction. Inputs are written `node` or `node:port`.
#[derive(Clone)]
pub(crate) struct JobBuilder {
    pub(crate) faults: Faults,
    pub(crate) settings: JobSettings,
    /// The time that the operators that follow take for a batch.
    pub(crate) batch_takes: Duration,
    /// The records that the operators that follow can't process, and the policies for these.
    pub(crate) poison: Poison,
    pub(crate) policies: RecordPolicies,
    /// The memory that the instances of the operators that follow occupy.
    pub(crate) leak: Leak,
    max_parallelism: u32,
    nodes: Vec<Node>,
    edges: Vec<Edge>,
    sources: BTreeMap<String, Arc<dyn SourceConnector>>,
    operators: BTreeMap<String, OperatorPart>,
    sinks: BTreeMap<String, Arc<dyn SinkConnector>>,
}

impl JobBuilder {
    /// Begins a job with a checkpoint every 5 ms and immediate restarts.
    pub(crate) fn new(faults: &Faults) -> Self {
        Self {
            faults: faults.clone(),
            settings: JobSettings {
                checkpoint: CheckpointSettings {
                    interval: Duration::from_millis(5),
                    ..CheckpointSettings::default()
                },
                restart: RestartSettings::FixedDelay(FixedDelay {
                    delay: Duration::from_millis(1),
                    attempts: 50,
                }),
                ..JobSettings::default()
            },
            batch_takes: Duration::ZERO,
            poison: Poison::default(),
            policies: RecordPolicies::default(),
            leak: Leak::default(),
            max_parallelism: 64,
            nodes: Vec::new(),
            edges: Vec::new(),
            sources: BTreeMap::new(),
            operators: BTreeMap::new(),
            sinks: BTreeMap::new(),
        }
    }

    pub(crate) fn settings(mut self, change: impl FnOnce(&mut JobSettings)) -> Self {
        change(&mut self.settings);
        self
    }

    /// Lets the operators that follow fail on some records, and send them to their dead-letter
    /// ports.
    pub(crate) fn poisoned(self, poison: Poison) -> Self {
        let policies = RecordPolicies {
            on_invalid_record: RecordPolicy::DeadLetter,
            on_trap: RecordPolicy::DeadLetter,
        };
        self.poisoned_with(poison, policies)
    }

    pub(crate) fn poisoned_with(mut self, poison: Poison, policies: RecordPolicies) -> Self {
        self.poison = poison;
        self.policies = policies;
        self
    }

    pub(crate) fn leaking(mut self, leak: &Leak) -> Self {
        self.leak = leak.clone();
        self
    }

    pub(crate) fn source(self, numbers: &Numbers, parallelism: u32) -> Self {
        self.source_of(&numbers.name, numbers.clone(), parallelism)
    }

    pub(crate) fn source_of(
        mut self,
        name: &str,
        connector: impl SourceConnector + 'static,
        parallelism: u32,
    ) -> Self {
        self.node(name, NodeKind::Source, parallelism, 1);
        self.sources.insert(name.to_owned(), Arc::new(connector));
        self
    }

    pub(crate) fn operator(
        mut self,
        name: &str,
        kind: Kind,
        parallelism: u32,
        inputs: &[(&str, Partitioning)],
    ) -> Self {
        self.node(name, NodeKind::Operator, parallelism, 2);
        self.inputs(name, inputs);
        let native = Native {
            kind,
            faults: self.faults.clone(),
            takes: self.batch_takes,
            poison: self.poison.clone(),
            leak: self.leak.clone(),
        };
        let part = OperatorPart {
            factory: Arc::new(native),
            config: String::new(),
            policies: self.policies,
            recycle_at: self.leak.recycle_at,
        };
        self.operators.insert(name.to_owned(), part);
        self
    }

    pub(crate) fn sink(
        mut self,
        name: &str,
        output: &Output,
        parallelism: u32,
        inputs: &[(&str, Partitioning)],
    ) -> Self {
        self.node(name, NodeKind::Sink, parallelism, 0);
        self.inputs(name, inputs);
        self.sinks.insert(name.to_owned(), Arc::new(output.clone()));
        self
    }

    pub(crate) fn build(&self) -> Job {
        let (nodes, edges) = (self.nodes.clone(), self.edges.clone());
        let graph = JobGraph::new("job".to_owned(), self.max_parallelism, nodes, edges);
        Job {
            graph: graph.unwrap(),
            sources: self.sources.clone(),
            operators: self.operators.clone(),
            sinks: self.sinks.clone(),
            settings: self.settings.clone(),
        }
    }

    fn node(&mut self, name: &str, kind: NodeKind, parallelism: u32, ports: u32) {
        self.nodes.push(Node {
            name: name.to_owned(),
            kind,
            parallelism,
            implementation: "test".to_owned(),
            digest: None,
            options: Vec::new(),
            outputs: (0..ports).map(|port| port.to_string()).collect(),
        });
    }

    fn inputs(&mut self, to: &str, inputs: &[(&str, Partitioning)]) {
        for (from, partitioning) in inputs {
            let (from, port) = from.split_once(':').unwrap_or((from, "0"));
            self.edges.push(Edge {
                from: from.to_owned(),
                port: match port {
                    DEAD_LETTER => DEAD_LETTER_PORT,
                    port => port.parse().unwrap(),
                },
                to: to.to_owned(),
                partitioning: *partitioning,
            });
        }
    }
}

/// A run of a job, as in one process.
pub(crate) struct Running {
    pub(crate) handle: JobHandle,
    pub(crate) task: JoinHandle<Result<Outcome, JobError>>,
}

/// Starts the job as `tidegate run` does.
pub(crate) fn start(job: &JobBuilder, directory: &Path) -> Running {
    start_with(job, directory, RunOptions::default())
}

pub(crate) fn start_from(job: &JobBuilder, directory: &Path, from: &Path) -> Running {
    start_with(job, directory, from_path(from))
}

pub(crate) fn from_path(from: &Path) -> RunOptions {
    RunOptions {
        start: StartFrom::Path(from.to_owned()),
        ..RunOptions::default()
    }
}

pub(crate) fn start_with(job: &JobBuilder, directory: &Path, options: RunOptions) -> Running {
    start_built(job.build(), directory, options)
}

pub(crate) fn start_built(job: Job, directory: &Path, options: RunOptions) -> Running {
    let store = prepare(&job, directory, &options).unwrap();
    let (handle, control) = JobHandle::new("job");
    let task = tokio::spawn(run(job, Arc::new(store), options, control));
    Running { handle, task }
}

impl Running {
    pub(crate) async fn end(self) -> Result<Outcome, JobError> {
        let Ok(end) = tokio::time::timeout(PATIENCE, self.task).await else {
            panic!("the job does not end: {:#?}", self.handle.status());
        };
        end.expect("the supervisor does not panic")
    }

    pub(crate) async fn wait_until(&self, holds: impl Fn(&JobStatus) -> bool) {
        let mut watch = self.handle.watch();
        let wait = watch.wait_for(|status| holds(status));
        let waited = tokio::time::timeout(PATIENCE, wait).await;
        let holds = waited.is_ok_and(|status| status.is_ok());
        assert!(holds, "waited in vain: {:#?}", self.handle.status());
    }

    /// Waits for a checkpoint that starts after this call.
    pub(crate) async fn checkpoint(&self) -> Result<u64, CommandError> {
        let checkpoint = self.ask(|reply| JobCommand::Checkpoint { reply }).await;
        checkpoint.map(|checkpoint| checkpoint.0)
    }

    pub(crate) async fn savepoint(&self, directory: &Path) -> Result<PathBuf, CommandError> {
        let directory = directory.to_owned();
        self.ask(|reply| JobCommand::Savepoint { directory, reply })
            .await
    }

    pub(crate) async fn stop(&self) -> Result<Option<PathBuf>, CommandError> {
        let (drain, savepoint) = (false, None);
        self.ask(|reply| JobCommand::Stop {
            drain,
            savepoint,
            reply,
        })
        .await
    }

    pub(crate) async fn drain(&self) -> Result<Option<PathBuf>, CommandError> {
        let (drain, savepoint) = (true, None);
        self.ask(|reply| JobCommand::Stop {
            drain,
            savepoint,
            reply,
        })
        .await
    }

    pub(crate) async fn stop_with_savepoint(
        &self,
        directory: &Path,
    ) -> Result<Option<PathBuf>, CommandError> {
        let (drain, savepoint) = (false, Some(directory.to_owned()));
        self.ask(|reply| JobCommand::Stop {
            drain,
            savepoint,
            reply,
        })
        .await
    }

    pub(crate) async fn cancel(&self) {
        self.try_cancel().await.unwrap();
    }

    /// Cancels the job; fails if the job has ended by itself.
    pub(crate) async fn try_cancel(&self) -> Result<(), CommandError> {
        self.handle.send(JobCommand::Cancel).await
    }

    /// Lets a held-back source emit the numbers below `below`, waits until it has emitted `records`
    /// in this run, and stops the job.
    pub(crate) async fn stop_after(self, allow: &Allowance, below: u64, records: u64) {
        allow.give(below);
        self.wait_until(|status| status.source_records == records)
            .await;
        self.stop().await.unwrap();
        let outcome = self.end().await.unwrap();
        assert!(matches!(outcome, Outcome::Stopped { .. }), "{outcome:?}");
    }

    /// Lets a held-back source end at `below` and waits for the end of the job.
    pub(crate) async fn finish_at(self, allow: &Allowance, below: u64) {
        allow.end_at(below);
        assert_eq!(self.end().await.unwrap(), Outcome::Finished);
    }

    /// Returns when the job has taken every command that was sent earlier.
    pub(crate) async fn take_commands(&self) {
        // As many as fit into the queue: the last one gets in when the first has been taken.
        for _ in 0..16 {
            let (reply, _) = oneshot::channel();
            self.handle
                .send(JobCommand::Checkpoint { reply })
                .await
                .unwrap();
        }
    }

    async fn ask<T>(
        &self,
        command: impl FnOnce(oneshot::Sender<Result<T, CommandError>>) -> JobCommand,
    ) -> Result<T, CommandError> {
        let (reply, answer) = oneshot::channel();
        self.handle.send(command(reply)).await?;
        let answered = tokio::time::timeout(PATIENCE, answer).await;
        let answer = answered.unwrap_or_else(|_| panic!("no answer: {:#?}", self.handle.status()));
        answer.expect("every command is answered")
    }
}
