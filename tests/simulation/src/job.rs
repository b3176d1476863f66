//! Random jobs: up to twelve nodes, up to four subtasks each, every partitioning, channels of one
//! byte.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tidegate_checkpoint::{Edge, JobGraph, Node, NodeKind, Partitioning};
use tidegate_connector::sink::SinkConnector;
use tidegate_connector::source::SourceConnector;
use tidegate_connectors::{FileSinkOptions, RecordFormat};
use tidegate_file_system::FileSystem;
use tidegate_random::Random;
use tidegate_runtime::config::{
    CheckpointSettings, ExponentialBackoff, FixedDelay, JobSettings, RecordPolicies,
    RestartSettings,
};
use tidegate_runtime::{Job, OperatorPart};

use crate::disk::{OUTPUT, SimulatedDisk};
use crate::faults::Faults;
use crate::memory::{Memory, RECYCLE_AT};
use crate::operators::{Kind, Simulated};
use crate::source::Numbers;

/// The most copies of a record that may arrive at a node.
const MOST_COPIES: u64 = 12;

/// The work of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Does {
    Give {
        count: u64,
        keys: u64,
        pace: u64,
        is_discovered: bool,
    },
    Operate(Kind),
    Publish,
}

/// The origin of a node's input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Input {
    /// The index of an earlier node.
    pub(crate) from: usize,
    pub(crate) port: usize,
    pub(crate) partitioning: Partitioning,
}

/// A node of a random job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NodePlan {
    pub(crate) name: String,
    pub(crate) does: Does,
    pub(crate) parallelism: u32,
    pub(crate) inputs: Vec<Input>,
    /// The sources whose records reach the node; true if each key's records come once and in order.
    pub(crate) origins: BTreeMap<String, bool>,
    /// The most copies of a record that may arrive.
    copies: u64,
}

impl NodePlan {
    /// Returns the sources whose records come in order, by key.
    pub(crate) fn ordered(&self) -> BTreeSet<String> {
        let ordered = self.origins.iter().filter(|(_, is_ordered)| **is_ordered);
        ordered.map(|(source, _)| source.clone()).collect()
    }

    fn ports(&self) -> usize {
        match self.does {
            Does::Give { .. } => 1,
            Does::Operate(kind) => kind.ports(),
            Does::Publish => 0,
        }
    }
}

/// A random job: every node comes after the nodes that it reads from.
#[derive(Clone, Debug)]
pub(crate) struct JobPlan {
    pub(crate) nodes: Vec<NodePlan>,
    pub(crate) max_parallelism: u32,
    settings: JobSettings,
}

impl JobPlan {
    pub(crate) fn new(seed: u64) -> Self {
        let mut random = Random::for_purpose(seed, "job");
        let mut discovered = Random::for_purpose(seed, "discovered");
        let mut nodes = Vec::new();
        for index in 0..=random.below(3) {
            nodes.push(source(&mut random, index, discovered.chance(1, 3)));
        }
        for index in 0..random.below(8) {
            nodes.push(operator(&mut random, index, &nodes));
        }
        let readable = nodes.len();
        for index in 0..=random.below(2) {
            let name = format!("out{index}");
            let sink = reader(&mut random, name, Does::Publish, &nodes[..readable]);
            nodes.push(sink);
        }
        assert!(nodes.len() <= 12, "{} nodes", nodes.len());
        Self {
            nodes,
            max_parallelism: random.pick(&[4, 7, 16, 128]),
            settings: settings(&mut random),
        }
    }

    /// Returns the same job with other parallelisms. Nodes that are connected forward change
    /// together; they stay if one is in `fixed` or has a broadcast input, since the model expects
    /// one copy per subtask.
    pub(crate) fn rescaled(&self, random: &mut Random, fixed: &BTreeSet<String>) -> Self {
        let mut rescaled = self.clone();
        let mut seen = BTreeSet::new();
        for first in 0..self.nodes.len() {
            let group = self.connected_forward(first);
            if !seen.insert(group.clone()) || random.chance(1, 2) {
                continue;
            }
            let is_fixed = |node: &NodePlan| {
                let mut inputs = node.inputs.iter();
                let is_broadcast = |i: &Input| i.partitioning == Partitioning::Broadcast;
                fixed.contains(&node.name) || inputs.any(is_broadcast)
            };
            if group.iter().any(|node| is_fixed(&self.nodes[*node])) {
                continue;
            }
            let parallelism = parallelism(random);
            for node in group {
                rescaled.nodes[node].parallelism = parallelism;
            }
        }
        rescaled
    }

    /// Returns a node and all nodes that must have the same parallelism.
    fn connected_forward(&self, first: usize) -> BTreeSet<usize> {
        let mut group = BTreeSet::from([first]);
        loop {
            let before = group.len();
            for (index, node) in self.nodes.iter().enumerate() {
                let forward = |i: &&Input| i.partitioning == Partitioning::Forward;
                for input in node.inputs.iter().filter(forward) {
                    if group.contains(&index) || group.contains(&input.from) {
                        group.extend([index, input.from]);
                    }
                }
            }
            if group.len() == before {
                return group;
            }
        }
    }

    pub(crate) fn graph(&self) -> JobGraph {
        let nodes = self.nodes.iter().map(|plan| {
            let (kind, implementation) = match plan.does {
                Does::Give { .. } => (NodeKind::Source, "numbers"),
                Does::Operate(_) => (NodeKind::Operator, "component"),
                Does::Publish => (NodeKind::Sink, "file"),
            };
            Node {
                name: plan.name.clone(),
                kind,
                parallelism: plan.parallelism,
                implementation: implementation.to_owned(),
                digest: (kind == NodeKind::Operator).then(|| plan.name.clone()),
                outputs: (0..plan.ports()).map(|port| format!("p{port}")).collect(),
                options: Vec::new(),
            }
        });
        let edges = self.nodes.iter().flat_map(|plan| {
            plan.inputs.iter().map(|input| Edge {
                from: self.nodes[input.from].name.clone(),
                port: u32::try_from(input.port).expect("few ports"),
                to: plan.name.clone(),
                partitioning: input.partitioning,
            })
        });
        let (nodes, edges) = (nodes.collect(), edges.collect());
        let graph = JobGraph::new("simulated".to_owned(), self.max_parallelism, nodes, edges);
        graph.unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }

    /// Builds the job, with its sinks on this disk.
    pub(crate) fn job(&self, seed: u64, disk: &SimulatedDisk, faults: &Faults) -> Job {
        let random = Arc::new(Mutex::new(Random::for_purpose(seed, "batches")));
        let mut memory = Random::for_purpose(seed, "memory");
        let mut sources: BTreeMap<String, Arc<dyn SourceConnector>> = BTreeMap::new();
        let mut operators = BTreeMap::new();
        let mut sinks: BTreeMap<String, Arc<dyn SinkConnector>> = BTreeMap::new();
        for plan in &self.nodes {
            let name = plan.name.clone();
            match plan.does {
                Does::Give {
                    count,
                    keys,
                    pace,
                    is_discovered,
                } => {
                    let numbers = Numbers {
                        name: name.clone(),
                        count,
                        keys,
                        pace,
                        is_discovered,
                        faults: faults.clone(),
                        random: Arc::clone(&random),
                    };
                    sources.insert(name, Arc::new(numbers));
                }
                Does::Operate(kind) => {
                    let factory = Simulated {
                        kind,
                        faults: faults.clone(),
                        ordered: plan.ordered(),
                        memory: Memory::new(&mut memory),
                    };
                    let (factory, config) = (Arc::new(factory), "{}".to_owned());
                    let part = OperatorPart {
                        factory,
                        config,
                        policies: RecordPolicies::default(),
                        recycle_at: RECYCLE_AT,
                    };
                    operators.insert(name, part);
                }
                Does::Publish => {
                    let options = FileSinkOptions {
                        directory: [OUTPUT, &name].iter().collect(),
                        format: RecordFormat::Tsv,
                        value: None,
                        columns: None,
                    };
                    let files: Arc<dyn FileSystem> = Arc::new(disk.clone());
                    let sink = options.connect_in(files, Path::new("/"));
                    sinks.insert(name, sink.expect("the directory has a name"));
                }
            }
        }
        Job {
            graph: self.graph(),
            sources,
            operators,
            sinks,
            settings: self.settings.clone(),
        }
    }
}

fn parallelism(random: &mut Random) -> u32 {
    random.pick(&[1, 1, 2, 2, 3, 4])
}

fn source(random: &mut Random, index: u64, is_discovered: bool) -> NodePlan {
    let name = format!("s{index}");
    // Some sources end before anything else happens.
    let count = random.pick(&[0, 3, 10, 40, 120, 250]);
    NodePlan {
        does: Does::Give {
            count,
            keys: 1 + random.below(6),
            pace: random.pick(&[0, 3, 8, 20]),
            is_discovered,
        },
        parallelism: parallelism(random),
        inputs: Vec::new(),
        origins: BTreeMap::from([(name.clone(), true)]),
        copies: 1,
        name,
    }
}

fn operator(random: &mut Random, index: u64, before: &[NodePlan]) -> NodePlan {
    let kind = random.pick(&[
        Kind::Pass,
        Kind::Split,
        Kind::Tally,
        Kind::Count,
        Kind::Count,
        Kind::Count,
        Kind::Windows,
        Kind::Totals,
    ]);
    reader(random, format!("o{index}"), Does::Operate(kind), before)
}

/// Returns a node that reads from one to three of the nodes before it.
fn reader(random: &mut Random, name: String, does: Does, before: &[NodePlan]) -> NodePlan {
    let mut node = NodePlan {
        name,
        does,
        parallelism: parallelism(random),
        inputs: Vec::new(),
        origins: BTreeMap::new(),
        copies: 0,
    };
    let most = 1 + random.below(3);
    while (node.inputs.len() as u64) < most {
        // Late nodes are picked more often, so that graphs become deep.
        let late = random.index(before.len()).max(random.index(before.len()));
        let from = &before[late];
        let input = Input {
            from: late,
            port: random.index(from.ports()),
            partitioning: partitioning(random, &node, from),
        };
        let times = match input.partitioning {
            Partitioning::Broadcast => u64::from(node.parallelism),
            Partitioning::Forward | Partitioning::Hash | Partitioning::Rebalance => 1,
        };
        let copies = node.copies + from.copies * times;
        if copies > MOST_COPIES && !node.inputs.is_empty() {
            break;
        }
        node.copies = copies;
        node.inputs.push(input);
        let keeps_order = matches!(
            input.partitioning,
            Partitioning::Forward | Partitioning::Hash
        );
        for (source, is_ordered) in &from.origins {
            let is_new = !node.origins.contains_key(source);
            let is_ordered = *is_ordered && keeps_order && is_new;
            node.origins.insert(source.clone(), is_ordered);
        }
    }
    node
}

fn partitioning(random: &mut Random, node: &NodePlan, from: &NodePlan) -> Partitioning {
    let is_keyed = matches!(node.does, Does::Operate(kind) if kind.is_keyed());
    if is_keyed {
        return Partitioning::Hash;
    }
    match random.below(5) {
        0 => Partitioning::Rebalance,
        1 if from.copies * u64::from(node.parallelism) <= MOST_COPIES => Partitioning::Broadcast,
        2 => Partitioning::Hash,
        _ if from.parallelism == node.parallelism => Partitioning::Forward,
        _ => Partitioning::Rebalance,
    }
}

fn settings(random: &mut Random) -> JobSettings {
    let millis = Duration::from_millis;
    let delay = millis(1 + random.below(50));
    let attempts = u32::try_from(random.below(8)).expect("a small number");
    JobSettings {
        checkpoint: CheckpointSettings {
            interval: millis(random.pick(&[3, 10, 30, 100])),
            timeout: millis(random.pick(&[2_000, 10_000, 600_000])),
            min_pause: millis(random.pick(&[0, 0, 10])),
            retain: random.pick(&[1, 2, 3]),
            tolerable_failures: random.pick(&[0, 1, 3]),
            drill_every: None,
        },
        restart: match random.below(4) {
            0 => RestartSettings::None,
            1 => RestartSettings::FixedDelay(FixedDelay { delay, attempts }),
            _ => RestartSettings::ExponentialBackoff(ExponentialBackoff {
                initial: delay,
                max: millis(1_000),
                backoff_multiplier: 2,
                attempts,
                reset_after: millis(5_000),
            }),
        },
        channel_capacity: random.pick(&[1, 1, 100]),
        joined_records: random.pick(&[1, 3, 1024]),
        // A disk may be slow for many minutes.
        shut_down_margin: Duration::from_secs(3_600),
        ..JobSettings::default()
    }
}
