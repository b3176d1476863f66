//! Puts an execution graph to work: channels, and one thread for each chain.
//!
//! A chain's thread drives its async loop by itself, so that a guest that computes for seconds
//! delays neither the coordinator nor another chain; timers and blocking writes are the shared
//! runtime's. Chains are started only here and joined by the supervisor, who does not wait for ever
//! for one that does not return: such an attempt is the last one of its process.

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
    ChainContext, Exit, Guest, OpenLink, OperatorChain, Outbox, Output, Persister, Role, Router,
    SourceSubtask, Subtask,
};
use crate::channel::{ChannelLimits, ChannelSender, InputGate, bounded};
use crate::config::JobSettings;
use crate::config::limits::{CONTROL_CAPACITY, EVENT_CAPACITY, PERSIST_CAPACITY};
use crate::error::connector_failed;
use crate::executor::{Executor, Task};
use crate::graph::{Chain, Downstream, ExecutionGraph, Link};
use crate::ids::RunIdentity;
use crate::isolation::CarePlan;
use crate::job::Job;
use crate::observe::AttemptMetrics;
use crate::protocol::{ChainEvent, ControlMessage};
use crate::stream::ToldWatermark;
use crate::{ChainId, CheckpointId, JobError, SubtaskId};

pub(crate) use tasks::NotReturned;
use tasks::{Part, Tasks};

/// What one subtask starts with.
#[derive(Debug)]
pub(crate) struct SubtaskStart {
    pub(crate) has_ended: bool,
    /// What it was told before; none if nothing was.
    pub(crate) watermark: Option<i64>,
    pub(crate) contents: StartContents,
}

/// What one subtask starts with, by kind of node.
#[derive(Debug)]
pub(crate) enum StartContents {
    Source {
        splits: Vec<SourceSplit>,
    },
    Operator {
        /// None at a fresh start: `restore` is not called then.
        state: Option<Vec<StateChunk>>,
    },
    Sink,
}

/// What an attempt is deployed from.
pub(crate) struct Attempt {
    pub(crate) job: Arc<Job>,
    pub(crate) identity: RunIdentity,
    /// The checkpoint it starts from.
    pub(crate) checkpoint: CheckpointId,
    pub(crate) starts: HashMap<SubtaskId, SubtaskStart>,
    pub(crate) store: Arc<dyn CheckpointStore>,
    pub(crate) metrics: AttemptMetrics,
    pub(crate) executor: Arc<dyn Executor>,
    /// Only if a record is being looked for.
    pub(crate) care: Option<Arc<CarePlan>>,
}

/// A running attempt.
pub(crate) struct Deployment {
    /// By chain.
    pub(crate) controls: Vec<mpsc::Sender<ControlMessage>>,
    pub(crate) events: mpsc::Receiver<ChainEvent>,
    /// Chains and persisters.
    pub(crate) tasks: Tasks,
    cancelled: CancellationToken,
    /// See [`Job::shut_down_within`].
    shut_down_within: Duration,
}

impl Deployment {
    /// Makes every chain leave and waits until all are gone. A chain that is inside a guest call
    /// leaves when the call is over, at the latest at its timeout; one that is inside a connector
    /// when that returns.
    ///
    /// # Errors
    ///
    /// What has not returned within the bound. It goes on until the process ends.
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
    for chain in graph.chains {
        let (control, control_receiver) = mpsc::channel(CONTROL_CAPACITY);
        let (persister, persist_receiver) = mpsc::channel(PERSIST_CAPACITY);
        deployment.controls.push(control);
        let persister_task = Persister {
            chain: chain.id,
            identity: attempt.identity.clone(),
            store: Arc::clone(&attempt.store),
            events: events.clone(),
            executor: Arc::clone(&attempt.executor),
        };
        let persister_task = Box::pin(persister_task.run(persist_receiver));
        let spawned = attempt.executor.spawn(persister_task);
        deployment.tasks.add(Part::Persister(chain.id), spawned);
        let starts = chain.links.iter().map(|link| {
            let start = attempt.starts.remove(&link.subtask);
            start.expect("the restore plan covers every subtask")
        });
        let starting = StartingChain {
            job: Arc::clone(&attempt.job),
            identity: attempt.identity.clone(),
            checkpoint: attempt.checkpoint,
            starts: starts.collect(),
            metrics: attempt.metrics.clone(),
            care: attempt.care.clone(),
            gate: channels.take_gate(chain.id),
            senders: channels.take_senders(&chain),
            control: control_receiver,
            events: events.clone(),
            persister,
            // Its own, since it looks at it between any two calls.
            cancelled: deployment.cancelled.child_token(),
            chain,
        };
        let part = Part::Chain(starting.chain.id, starting.chain.describe());
        let started = attempt.executor.start_chain(starting.into_task());
        deployment.tasks.add(part, started);
    }
    deployment
}

/// All channels of an attempt, until their chains take them.
struct Channels {
    /// By chain, then by channel.
    senders: Vec<Vec<Option<ChannelSender>>>,
    /// By chain.
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

    /// The senders of a chain in the order in which [`open_outputs`] numbers them.
    fn take_senders(&mut self, chain: &Chain) -> Vec<ChannelSender> {
        let downstream = chain.links.iter().flat_map(|l| l.outputs.iter().flatten());
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
    chain: Chain,
    job: Arc<Job>,
    identity: RunIdentity,
    checkpoint: CheckpointId,
    /// By link.
    starts: Vec<SubtaskStart>,
    metrics: AttemptMetrics,
    care: Option<Arc<CarePlan>>,
    gate: InputGate,
    senders: Vec<ChannelSender>,
    control: mpsc::Receiver<ControlMessage>,
    events: mpsc::Sender<ChainEvent>,
    persister: mpsc::Sender<crate::chain::PersistMessage>,
    cancelled: CancellationToken,
}

impl StartingChain {
    fn into_task(self) -> Task {
        let description = self.chain.describe();
        let events = self.events.clone();
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
            // Nobody listens any more if the attempt has already ended for another reason.
            let event = ChainEvent::Failed(Box::new(failure));
            drop(events.send(event).await);
        })
    }

    async fn open_and_run(mut self) -> Exit {
        let (links, source) = match self.open_links() {
            Ok(opened) => opened,
            Err(exit) => return exit,
        };
        let inputs: Vec<u32> = self.chain.channels.iter().map(|c| c.input).collect();
        let id = self.chain.id;
        // It would stay for the life of the attempt, with an entry for each channel.
        drop(self.chain);
        let mut chain =
            OperatorChain::new(links, Outbox::new(self.senders), self.cancelled.clone());
        if let Some(plan) = self.care {
            chain = chain.careful(plan, self.checkpoint);
        }
        chain.repeat_watermarks();
        let mut context = ChainContext {
            id,
            chain,
            control: self.control,
            events: self.events,
            persister: self.persister,
            cancelled: self.cancelled,
            last_snapshot: self.checkpoint,
        };
        if let Err(exit) = context.flush().await {
            return exit;
        }
        if context.events.send(ChainEvent::Running).await.is_err() {
            return Exit::NeighbourGone;
        }
        match source {
            Some(source) => SourceSubtask::new(context, source).run().await,
            None => Subtask::new(context, self.gate, inputs).run().await,
        }
    }

    /// Opens every subtask, restored, and the source if the chain starts with one.
    #[expect(
        clippy::type_complexity,
        reason = "one private caller, which takes it apart"
    )]
    fn open_links(&mut self) -> Result<(Vec<OpenLink>, Option<Box<dyn Source>>), Exit> {
        let mut opened_source = None;
        let mut next_sender = 0;
        let mut links = Vec::new();
        for (link, start) in self.chain.links.iter().zip(self.starts.drain(..)) {
            if self.cancelled.is_cancelled() {
                return Err(Exit::Told);
            }
            let role = match start.contents {
                StartContents::Source { splits } => {
                    let source = open_source(&self.job, &link.subtask, splits)?;
                    opened_source = Some(source);
                    Role::Source
                }
                StartContents::Operator { state } => {
                    let guest = open_guest(&self.job, &link.subtask, &self.identity, state);
                    let guest = guest.map_err(|fault| JobError::from(Box::new(fault)))?;
                    Role::Operator(Box::new(guest))
                }
                StartContents::Sink => open_sink(&self.job, &link.subtask, &self.identity)?,
            };
            let nodes = self.job.graph.nodes();
            let node = nodes.iter().position(|n| n.name == link.subtask.operator);
            let node = node.expect("a link is a subtask of a node");
            let metrics = self.metrics.subtask(node, link.subtask.index);
            if let Role::Operator(guest) = &role {
                guest.show_memory(&metrics);
            }
            links.push(OpenLink {
                subtask: link.subtask.clone(),
                role,
                outputs: open_outputs(&self.job, link, &mut next_sender),
                ports: u32::try_from(link.ports).expect("fewer than 2^32 ports"),
                metrics,
                has_ended: start.has_ended,
                watermark: ToldWatermark::new(start.watermark),
            });
        }
        Ok((links, opened_source))
    }
}

fn open_outputs(job: &Job, link: &Link, next_sender: &mut usize) -> Vec<Vec<Output>> {
    let mut open = |downstream: &Downstream| match downstream {
        Downstream::Chained { link } => Output::Chained(*link),
        Downstream::Routed(route) => {
            let first = *next_sender;
            *next_sender += route.targets.len();
            let senders = first..*next_sender;
            let max_parallelism = job.graph.max_parallelism();
            Output::Routed(Router::new(route.partitioning, senders, max_parallelism))
        }
    };
    let ports = link.outputs.iter();
    ports
        .map(|port| port.iter().map(&mut open).collect())
        .collect()
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
