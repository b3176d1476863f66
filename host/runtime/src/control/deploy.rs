//! Deploys an execution graph: its channels, and one thread for each chain.
//!
//! A chain's thread drives its async loop by itself, so that a guest that computes for seconds
//! delays neither the coordinator nor another chain; timers and blocking writes use the shared
//! runtime. Chains are started only here and joined by the supervisor, which waits for them up to a
//! bound: an attempt with a chain that does not return is the last attempt of its process.

mod tasks;

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use tidegate_checkpoint::CheckpointStore;
use tidegate_connector::HashSeedUse;
use tidegate_connector::source::{Source, SourceSplit};
use tidegate_operator::{GuestFault, StateChunk, panic_message};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::chain::{
    Chain, ChainLines, ChainLoop, Destination, Exit, Feed, GateFeed, Guest, Link, Outbox,
    Persister, Role, Router, SourceFeed, Subtask,
};
use crate::channel::{ChannelLimits, ChannelSender, InputGate, bounded};
use crate::config::limits::{CONTROL_CAPACITY, EVENT_CAPACITY, PERSIST_CAPACITY};
use crate::config::{JobSettings, RecordPolicy};
use crate::error::connector_failed;
use crate::executor::{Executor, Task};
use crate::graph::{ChainPlan, Downstream, ExecutionGraph, LinkPlan};
use crate::ids::RunIdentity;
use crate::isolation::IsolationPlan;
use crate::job::Job;
use crate::observe::{AttemptMetrics, SubtaskMetrics};
use crate::protocol::{ChainEvent, ControlMessage};
use crate::stream::ToldWatermark;
use crate::{ChainId, CheckpointId, JobError, SubtaskId};

pub(crate) use tasks::NotReturned;
use tasks::{AttemptPart, Tasks};

/// The start of one subtask.
#[derive(Debug)]
pub(crate) struct SubtaskStart {
    pub(crate) has_ended: bool,
    /// The watermark that it was notified of before; `None` if there was none.
    pub(crate) watermark: Option<i64>,
    pub(crate) contents: StartContents,
}

/// The contents that one subtask starts with, by kind of node.
#[derive(Debug)]
pub(crate) enum StartContents {
    Source {
        splits: Vec<SourceSplit>,
    },
    Operator {
        /// `None` at a fresh start: `restore` is not called then.
        state: Option<Vec<StateChunk>>,
    },
    Sink,
}

/// The parts that an attempt is deployed from.
pub(crate) struct Attempt {
    pub(crate) job: Arc<Job>,
    pub(crate) identity: RunIdentity,
    /// The checkpoint that the attempt starts from.
    pub(crate) checkpoint: CheckpointId,
    pub(crate) starts: HashMap<SubtaskId, SubtaskStart>,
    pub(crate) store: Arc<dyn CheckpointStore>,
    pub(crate) metrics: AttemptMetrics,
    pub(crate) executor: Arc<dyn Executor>,
    /// The isolation plan; `None` if the attempt isolates no records.
    pub(crate) isolation: Option<Arc<IsolationPlan>>,
}

/// A running attempt.
pub(crate) struct Deployment {
    /// The control lines, by chain.
    pub(crate) controls: Vec<mpsc::Sender<ControlMessage>>,
    pub(crate) events: mpsc::Receiver<ChainEvent>,
    /// The chains and persisters.
    pub(crate) tasks: Tasks,
    cancelled: CancellationToken,
    /// See [`Job::shut_down_within`].
    shut_down_within: Duration,
}

impl Deployment {
    /// Makes every chain leave and waits until all are gone. A chain inside a guest call leaves
    /// when the call is over, at the latest at its timeout; a chain inside a connector leaves when
    /// the connector returns.
    ///
    /// # Errors
    ///
    /// Names the parts that have not returned within the bound; they continue until the process
    /// ends.
    pub(crate) async fn shut_down(mut self) -> Result<(), NotReturned> {
        self.cancelled.cancel();
        // Senders of events must not wait for a reader that is gone.
        self.events.close();
        self.tasks.all_gone(self.shut_down_within).await
    }
}

/// Starts every chain of `graph`.
pub(crate) fn deploy(graph: ExecutionGraph, mut attempt: Attempt) -> Deployment {
    let cancelled = CancellationToken::new();
    let (events, event_receiver) = mpsc::channel(EVENT_CAPACITY);
    let mut channels = Channels::new(&graph, &attempt.job.settings);
    let mut deployment = Deployment {
        controls: Vec::new(),
        events: event_receiver,
        tasks: Tasks::default(),
        cancelled,
        shut_down_within: attempt.job.shut_down_within(),
    };
    for plan in graph.chains {
        let (control, control_receiver) = mpsc::channel(CONTROL_CAPACITY);
        let (persister, persist_receiver) = mpsc::channel(PERSIST_CAPACITY);
        deployment.controls.push(control);
        let persister_task = Persister {
            chain: plan.id,
            identity: attempt.identity.clone(),
            store: Arc::clone(&attempt.store),
            events: events.clone(),
            executor: Arc::clone(&attempt.executor),
        };
        let persister_task = Box::pin(persister_task.run(persist_receiver));
        let spawned = attempt.executor.spawn(persister_task);
        deployment
            .tasks
            .add(AttemptPart::Persister(plan.id), spawned);
        let starts = plan.links.iter().map(|link| {
            let start = attempt.starts.remove(&link.subtask);
            start.expect("the restore plan covers every subtask")
        });
        let starting = StartingChain {
            job: Arc::clone(&attempt.job),
            identity: attempt.identity.clone(),
            checkpoint: attempt.checkpoint,
            starts: starts.collect(),
            metrics: attempt.metrics.clone(),
            isolation: attempt.isolation.clone(),
            gate: channels.take_gate(plan.id),
            senders: channels.take_senders(&plan),
            lines: ChainLines {
                chain: plan.id,
                control: control_receiver,
                events: events.clone(),
                persister,
                // A token of its own: the chain checks it between any two calls.
                cancelled: deployment.cancelled.child_token(),
            },
            plan,
        };
        let part = AttemptPart::Chain(starting.plan.id, starting.plan.describe());
        let started = attempt.executor.start_chain(starting.into_task());
        deployment.tasks.add(part, started);
    }
    deployment
}

/// All channels of an attempt, until their chains take them.
struct Channels {
    /// The senders, by chain, then by channel.
    senders: Vec<Vec<Option<ChannelSender>>>,
    /// The gates, by chain.
    gates: Vec<Option<InputGate>>,
}

impl Channels {
    fn new(graph: &ExecutionGraph, settings: &JobSettings) -> Self {
        let channels = graph.chains.iter().map(|chain| chain.channels.len());
        let limits = ChannelLimits {
            bytes: settings.bytes_of_one_channel(channels.clone().sum()),
            joined_rows: settings.joined_records,
            ..ChannelLimits::default()
        };
        let mut senders = Vec::new();
        let mut gates = Vec::new();
        for channels in channels {
            let (of_chain, gate) = bounded(channels, limits);
            senders.push(of_chain.into_iter().map(Some).collect());
            gates.push(Some(gate));
        }
        Self { senders, gates }
    }

    fn take_gate(&mut self, chain: ChainId) -> InputGate {
        let gate = self.gates[chain.0 as usize].take();
        gate.expect("every chain is started once")
    }

    /// Takes a chain's senders in the order in which [`StartingChain::open_outputs`] numbers them.
    fn take_senders(&mut self, plan: &ChainPlan) -> Vec<ChannelSender> {
        let downstream = plan.links.iter().flat_map(|l| l.outputs.iter().flatten());
        let targets = downstream.flat_map(|downstream| match downstream {
            Downstream::Chained { .. } => &[],
            Downstream::Routed(route) => route.targets.as_slice(),
        });
        targets
            .map(|(chain, channel)| {
                let sender = self.senders[chain.0 as usize][channel.0 as usize].take();
                sender.expect("every channel has one sender")
            })
            .collect()
    }
}

/// A chain before its thread has opened it.
struct StartingChain {
    plan: ChainPlan,
    job: Arc<Job>,
    identity: RunIdentity,
    checkpoint: CheckpointId,
    /// The starts, by link.
    starts: Vec<SubtaskStart>,
    metrics: AttemptMetrics,
    isolation: Option<Arc<IsolationPlan>>,
    gate: InputGate,
    senders: Vec<ChannelSender>,
    lines: ChainLines,
}

/// The subtasks of a chain, open and restored.
struct OpenSubtasks {
    source: Option<(Subtask, Box<dyn Source>)>,
    links: Vec<Link>,
}

impl StartingChain {
    fn into_task(self) -> Task {
        let description = self.plan.describe();
        let events = self.lines.events.clone();
        Box::pin(async move {
            let body = AssertUnwindSafe(self.open_and_run()).catch_unwind();
            let failure = match body.await {
                Ok(Exit::Failed(error)) => error,
                Ok(Exit::Told | Exit::NeighbourGone) => return,
                Err(panic) => JobError::Panicked {
                    chain: description,
                    message: panic_message(&*panic),
                },
            };
            // No one listens any more if the attempt has already ended for another reason.
            let event = ChainEvent::Failed(Box::new(failure));
            drop(events.send(event).await);
        })
    }

    async fn open_and_run(mut self) -> Exit {
        let OpenSubtasks { source, links } = match self.open_subtasks() {
            Ok(opened) => opened,
            Err(exit) => return exit,
        };
        let inputs: Vec<u32> = self.plan.channels.iter().map(|c| c.input).collect();
        // The plan would stay for the life of the attempt, with an entry for each channel.
        drop(self.plan);
        let isolation = self.isolation.as_deref();
        let (source, feed) = match source {
            Some((subtask, source)) => {
                let policy = on_invalid_record(&subtask);
                let feed = SourceFeed::new(subtask.id.clone(), source, policy, isolation);
                (Some(subtask), Feed::Source(feed))
            }
            None => (None, Feed::Gate(GateFeed::new(self.gate, inputs))),
        };
        let outbox = Outbox::new(self.senders);
        let mut chain = Chain::new(source, links, outbox, self.lines.cancelled.clone());
        if let Some(plan) = self.isolation {
            chain = chain.isolating(plan, self.checkpoint);
        }
        let chain_loop = ChainLoop::new(chain, feed, self.lines, self.checkpoint);
        chain_loop.run().await
    }

    /// Opens and restores every subtask; the source, if there is one, comes first.
    fn open_subtasks(&mut self) -> Result<OpenSubtasks, Exit> {
        let mut opened = OpenSubtasks {
            source: None,
            links: Vec::new(),
        };
        let mut next_sender = 0;
        let starts = std::mem::take(&mut self.starts);
        for (plan, start) in self.plan.links.iter().zip(starts) {
            if self.lines.cancelled.is_cancelled() {
                return Err(Exit::Told);
            }
            let SubtaskStart {
                has_ended,
                watermark,
                contents,
            } = start;
            let subtask = Subtask {
                id: plan.subtask.clone(),
                outputs: self.open_outputs(plan, &mut next_sender),
                ports: u32::try_from(plan.ports).expect("fewer than 2^32 ports"),
                metrics: self.metrics_of(&plan.subtask),
                has_ended,
                watermark: ToldWatermark::new(watermark),
            };
            let role = match contents {
                StartContents::Source { splits } => {
                    let source = open_source(&self.job, &subtask.id, splits)?;
                    opened.source = Some((subtask, source));
                    continue;
                }
                StartContents::Operator { state } => {
                    let guest = open_guest(&self.job, &subtask.id, &self.identity, state);
                    let guest = guest.map_err(|fault| JobError::from(Box::new(fault)))?;
                    guest.show_memory(&subtask.metrics);
                    Role::Operator(Box::new(guest))
                }
                StartContents::Sink => open_sink(&self.job, &subtask.id, &self.identity)?,
            };
            opened.links.push(Link { subtask, role });
        }
        Ok(opened)
    }

    fn metrics_of(&self, subtask: &SubtaskId) -> Arc<SubtaskMetrics> {
        let mut nodes = self.job.graph.nodes().iter();
        let node = nodes.position(|node| node.name == subtask.operator);
        let node = node.expect("a link is a subtask of a node");
        self.metrics.subtask(node, subtask.index)
    }

    fn open_outputs(&self, plan: &LinkPlan, next_sender: &mut usize) -> Vec<Vec<Destination>> {
        // The source is the first link of a plan, but is not among the links that are called.
        let sources = usize::from(self.plan.starts_with_source());
        let mut open = |downstream: &Downstream| match downstream {
            Downstream::Chained { link } => Destination::Chained(link - sources),
            Downstream::Routed(route) => {
                let first = *next_sender;
                *next_sender += route.targets.len();
                let senders = first..*next_sender;
                let max_parallelism = self.job.graph.max_parallelism();
                Destination::Routed(Router::new(route.partitioning, senders, max_parallelism))
            }
        };
        let ports = plan.outputs.iter();
        ports
            .map(|port| port.iter().map(&mut open).collect())
            .collect()
    }
}

fn open_source(
    job: &Job,
    subtask: &SubtaskId,
    splits: Vec<SourceSplit>,
) -> Result<Box<dyn Source>, JobError> {
    let connector = &job.sources[&subtask.operator];
    let opened = connector.open(subtask, splits);
    opened.map_err(|error| connector_failed(subtask, error))
}

/// Returns the policy of a source: without a reader, a dead letter would be a lost record.
fn on_invalid_record(source: &Subtask) -> RecordPolicy {
    match source.outputs.get(source.ports as usize) {
        Some(readers) if !readers.is_empty() => RecordPolicy::DeadLetter,
        Some(_) | None => RecordPolicy::Fail,
    }
}

fn open_sink(job: &Job, subtask: &SubtaskId, identity: &RunIdentity) -> Result<Role, JobError> {
    let connector = &job.sinks[&subtask.operator];
    let opened = connector.open(subtask, identity.lineage.published(), identity.attempt);
    let sink = opened.map_err(|error| connector_failed(subtask, error))?;
    Ok(Role::Sink(sink))
}

fn open_guest(
    job: &Job,
    subtask: &SubtaskId,
    identity: &RunIdentity,
    state: Option<Vec<StateChunk>>,
) -> Result<Guest, GuestFault> {
    let part = &job.operators[&subtask.operator];
    let hash_seed = identity.lineage.hash_seed(subtask, HashSeedUse::Run);
    let context = job.operator_context(subtask, hash_seed);
    Guest::open(Arc::clone(&part.factory), context, state, part.recycle_at)
}
