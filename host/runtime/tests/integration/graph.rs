//! Job graphs and their expansion: random graphs against the rules that the runtime relies on.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use proptest::prelude::*;
use tidegate_checkpoint::{Edge, GraphError, JobGraph, Node, NodeKind, Partitioning};
use tidegate_connector::SubtaskId;
use tidegate_runtime::graph::{ChainPlan, DEEPEST_CHAIN, Downstream, ExecutionGraph, GraphCost};
use tidegate_runtime::{ChainId, ChannelIndex};

fn node(name: &str, kind: NodeKind, parallelism: u32, ports: u32) -> Node {
    Node {
        name: name.to_owned(),
        kind,
        parallelism,
        implementation: "test".to_owned(),
        digest: None,
        options: Vec::new(),
        outputs: (0..ports).map(|port| format!("port-{port}")).collect(),
    }
}

fn edge(from: &str, port: u32, to: &str, partitioning: Partitioning) -> Edge {
    Edge {
        from: from.to_owned(),
        port,
        to: to.to_owned(),
        partitioning,
    }
}

fn job_graph(nodes: Vec<Node>, edges: Vec<Edge>) -> Result<JobGraph, GraphError> {
    JobGraph::new("job".to_owned(), 128, nodes, edges)
}

/// An input of a random node from an earlier one.
#[derive(Clone, Debug)]
struct RandomInput {
    from: prop::sample::Index,
    port: u32,
    partitioning: Partitioning,
}

fn random_partitioning() -> impl Strategy<Value = Partitioning> {
    prop_oneof![
        3 => Just(Partitioning::Forward),
        1 => Just(Partitioning::Hash),
        1 => Just(Partitioning::Rebalance),
        1 => Just(Partitioning::Broadcast),
    ]
}

fn random_input() -> impl Strategy<Value = RandomInput> {
    let input = (any::<prop::sample::Index>(), 0u32..2, random_partitioning());
    input.prop_map(|(from, port, partitioning)| RandomInput {
        from,
        port,
        partitioning,
    })
}

prop_compose! {
    /// Returns a valid graph: up to 3 sources, 12 operators with 2 ports and 3 sinks, parallelism
    /// up to 4.
    fn random_graph()(
        sources in prop::collection::vec(1u32..=4, 1..=3),
        readers in prop::collection::vec(
            (1u32..=4, prop::collection::vec(random_input(), 1..=3)),
            1..=15,
        ),
        sinks in 1usize..=3,
    ) -> (Vec<Node>, Vec<Edge>) {
        let mut nodes: Vec<Node> = Vec::new();
        let mut edges = Vec::new();
        for (index, parallelism) in sources.into_iter().enumerate() {
            nodes.push(node(&format!("source-{index}"), NodeKind::Source, parallelism, 1));
        }
        let operators = readers.len().saturating_sub(sinks);
        for (index, (parallelism, inputs)) in readers.into_iter().enumerate() {
            let is_sink = index >= operators;
            let upstream: Vec<Node> = nodes
                .iter()
                .filter(|node| node.kind != NodeKind::Sink)
                .cloned()
                .collect();
            let name = format!("reader-{index}");
            for input in inputs {
                let from = input.from.get(&upstream);
                let port = input.port % u32::try_from(from.outputs.len()).unwrap();
                let does_not_fit = input.partitioning == Partitioning::Forward
                    && from.parallelism != parallelism;
                let partitioning = match does_not_fit {
                    true => Partitioning::Rebalance,
                    false => input.partitioning,
                };
                edges.push(edge(&from.name, port, &name, partitioning));
            }
            let (kind, ports) = match is_sink {
                true => (NodeKind::Sink, 0),
                false => (NodeKind::Operator, 2),
            };
            nodes.push(node(&name, kind, parallelism, ports));
        }
        (nodes, edges)
    }
}

/// Returns every routed channel as (from subtask, to chain, channel).
fn channels(execution: &ExecutionGraph) -> Vec<(SubtaskId, ChainId, ChannelIndex)> {
    let links = execution.chains.iter().flat_map(|chain| &chain.links);
    links
        .flat_map(|link| {
            let downstream = link.outputs.iter().flatten();
            downstream.flat_map(|downstream| match downstream {
                Downstream::Chained { .. } => Vec::new(),
                Downstream::Routed(route) => {
                    let targets = route.targets.iter();
                    let of_link = targets.map(|(c, i)| (link.subtask.clone(), *c, *i));
                    of_link.collect()
                }
            })
        })
        .collect()
}

/// Asserts that in a chain every link but the first is fed by exactly one earlier link.
fn assert_links_are_in_order(chain: &ChainPlan) {
    let mut fed = vec![0; chain.links.len()];
    for (at, link) in chain.links.iter().enumerate() {
        for downstream in link.outputs.iter().flatten() {
            if let Downstream::Chained { link: next } = downstream {
                assert!(*next > at, "{} feeds an earlier link", link.subtask);
                fed[*next] += 1;
            }
        }
    }
    assert_eq!(fed[0], 0, "{} is fed from inside", chain.describe());
    assert!(
        fed[1..].iter().all(|count| *count == 1),
        "{}",
        chain.describe()
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn every_subtask_is_in_one_chain_and_every_channel_has_one_sender(
        (nodes, edges) in random_graph(),
    ) {
        let graph = job_graph(nodes.clone(), edges).unwrap();
        let execution = ExecutionGraph::new(&graph);

        let links = execution.chains.iter().flat_map(|chain| &chain.links);
        let placed: Vec<&SubtaskId> = links.map(|link| &link.subtask).collect();
        let distinct: HashSet<&SubtaskId> = placed.iter().copied().collect();
        let subtasks: u32 = nodes.iter().map(|node| node.parallelism).sum();
        prop_assert_eq!(placed.len(), subtasks as usize);
        prop_assert_eq!(distinct.len(), placed.len());

        let mut receivers = HashMap::new();
        for (index, chain) in execution.chains.iter().enumerate() {
            prop_assert_eq!(chain.id.0 as usize, index);
            assert_links_are_in_order(chain);
            prop_assert_eq!(chain.starts_with_source(), chain.channels.is_empty());
            prop_assert!(chain.links[1..].iter().all(|l| l.kind != NodeKind::Source));
            prop_assert!(chain.channels.is_sorted_by_key(|channel| channel.input));
            for (channel, input) in chain.channels.iter().enumerate() {
                let channel = ChannelIndex(u32::try_from(channel).unwrap());
                let from = &execution.chains[input.from.chain.0 as usize];
                let from = &from.links[input.from.link as usize].subtask;
                receivers.insert((chain.id, channel), from.clone());
            }
        }
        let senders = channels(&execution);
        prop_assert_eq!(senders.len(), receivers.len());
        for (from, chain, channel) in senders {
            prop_assert_eq!(receivers.remove(&(chain, channel)), Some(from));
        }
        prop_assert!(receivers.is_empty());
    }

    #[test]
    fn every_edge_is_chained_if_forward_and_alone_and_routed_otherwise(
        (nodes, edges) in random_graph(),
    ) {
        let graph = job_graph(nodes, edges.clone()).unwrap();
        let execution = ExecutionGraph::new(&graph);
        let chain_of = |name: &str, index: u32| {
            let holds = |chain: &&ChainPlan| {
                let mut links = chain.links.iter();
                links.any(|l| l.subtask.operator == name && l.subtask.index == index)
            };
            execution.chains.iter().find(holds).unwrap()
        };
        for edge in &edges {
            let is_alone = edges.iter().filter(|other| other.to == edge.to).count() == 1;
            let is_chained = is_alone && edge.partitioning == Partitioning::Forward;
            let to = graph.node(&edge.to).unwrap().parallelism;
            for index in 0..graph.node(&edge.from).unwrap().parallelism {
                let from = chain_of(&edge.from, index);
                let same = index < to && from.id == chain_of(&edge.to, index).id;
                prop_assert!(!is_chained || same, "{edge:?}");
            }
            for index in 0..to {
                let starts_chain = chain_of(&edge.to, index).links[0].subtask.operator == edge.to;
                prop_assert_eq!(starts_chain, !is_chained, "{:?}", edge);
            }
        }
        let channels_of = |edge: &Edge| {
            let from = graph.node(&edge.from).unwrap().parallelism as usize;
            let to = graph.node(&edge.to).unwrap().parallelism as usize;
            match edge.partitioning {
                Partitioning::Forward if edges.iter().filter(|e| e.to == edge.to).count() == 1 => 0,
                Partitioning::Forward => from,
                Partitioning::Hash | Partitioning::Rebalance | Partitioning::Broadcast => from * to,
            }
        };
        let expected: usize = edges.iter().map(channels_of).sum();
        prop_assert_eq!(channels(&execution).len(), expected);
    }

    #[test]
    fn a_cycle_is_refused_and_the_one_printed_is_there(
        (mut nodes, mut edges) in random_graph(),
        back in (any::<prop::sample::Index>(), any::<prop::sample::Index>()),
    ) {
        // One more edge between two operators, in either direction: it may close a cycle.
        let is_operator = |node: &&Node| node.kind == NodeKind::Operator;
        nodes.push(node("extra", NodeKind::Operator, 1, 1));
        edges.push(edge("source-0", 0, "extra", Partitioning::Rebalance));
        let operators: Vec<Node> = nodes.iter().filter(is_operator).cloned().collect();
        let (from, to) = (back.0.get(&operators), back.1.get(&operators));
        edges.push(edge(&from.name, 0, &to.name, Partitioning::Hash));

        let mut reached = HashSet::from([to.name.clone()]);
        while let Some(next) = edges
            .iter()
            .find(|edge| reached.contains(&edge.from) && !reached.contains(&edge.to))
        {
            reached.insert(next.to.clone());
        }
        match job_graph(nodes, edges.clone()) {
            Ok(_) => prop_assert!(!reached.contains(&from.name)),
            Err(GraphError::Cycle { nodes: cycle }) => {
                prop_assert!(reached.contains(&from.name));
                prop_assert_eq!(cycle.first(), cycle.last());
                for pair in cycle.windows(2) {
                    let exists = edges.iter().any(|e| e.from == pair[0] && e.to == pair[1]);
                    prop_assert!(exists, "no edge {} -> {}", pair[0], pair[1]);
                }
            }
            Err(other) => prop_assert!(false, "{other}"),
        }
    }
}

#[test]
fn a_self_loop_is_a_cycle() {
    let nodes = vec![
        node("a", NodeKind::Source, 1, 1),
        node("b", NodeKind::Operator, 1, 1),
        node("c", NodeKind::Sink, 1, 0),
    ];
    let edges = vec![
        edge("a", 0, "b", Partitioning::Hash),
        edge("b", 0, "b", Partitioning::Hash),
        edge("b", 0, "c", Partitioning::Hash),
    ];
    let refused = job_graph(nodes, edges).unwrap_err();
    assert_eq!(refused.to_string(), "the graph has a cycle: b -> b");
}

#[test]
fn a_source_that_reads_is_refused() {
    let nodes = vec![
        node("a", NodeKind::Source, 1, 1),
        node("b", NodeKind::Source, 1, 1),
        node("c", NodeKind::Sink, 1, 0),
    ];
    let edges = vec![
        edge("a", 0, "b", Partitioning::Forward),
        edge("b", 0, "c", Partitioning::Forward),
    ];
    let refused = job_graph(nodes, edges).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "`b` reads from `a`, but `b` is a source; sources have no inputs"
    );
}

/// Returns a source, `length` operators in a row, and a sink.
fn long_chain(length: usize, partitioning: Partitioning) -> (Vec<Node>, Vec<Edge>) {
    let mut nodes = vec![node("n0", NodeKind::Source, 1, 1)];
    let mut edges = Vec::new();
    for index in 1..=length {
        let (kind, ports) = match index == length {
            true => (NodeKind::Sink, 0),
            false => (NodeKind::Operator, 1),
        };
        let name = format!("n{index}");
        edges.push(edge(&nodes[index - 1].name, 0, &name, partitioning));
        nodes.push(node(&name, kind, 1, ports));
    }
    (nodes, edges)
}

#[test]
fn ten_thousand_nodes_are_planned_quickly() {
    // A chain is cut before it is too deep for a stack.
    let forward = 10_001usize.div_ceil(DEEPEST_CHAIN as usize);
    for (partitioning, chains) in [
        (Partitioning::Forward, forward),
        (Partitioning::Hash, 10_001),
    ] {
        let (nodes, edges) = long_chain(10_000, partitioning);
        let started = Instant::now();
        let graph = job_graph(nodes, edges).unwrap();
        let execution = ExecutionGraph::new(&graph);
        let elapsed = started.elapsed();
        assert_eq!(execution.chains.len(), chains);
        assert_eq!(GraphCost::of(&graph), counted(&execution));
        // A loaded machine takes some tenths of a second; a quadratic plan takes many seconds.
        assert!(
            elapsed < Duration::from_secs(2),
            "planning took {elapsed:?}"
        );
    }
}

/// Counts the parts of the execution graph as its cost.
fn counted(execution: &ExecutionGraph) -> GraphCost {
    let chains = execution.chains.iter();
    let links: Vec<_> = chains.clone().flat_map(|chain| &chain.links).collect();
    let operators = links.iter().filter(|link| link.kind == NodeKind::Operator);
    GraphCost {
        subtasks: links.len() as u64,
        instances: operators.count() as u64,
        chains: execution.chains.len() as u64,
        channels: chains.map(|chain| chain.channels.len() as u64).sum(),
    }
}

#[test]
fn a_job_that_no_machine_can_run_is_refused_with_its_numbers_before_anything_is_made() {
    let job = |max, parallelism| {
        let nodes = vec![
            node("a", NodeKind::Source, parallelism, 1),
            node("b", NodeKind::Sink, parallelism, 0),
        ];
        let edges = vec![edge("a", 0, "b", Partitioning::Hash)];
        let started = Instant::now();
        let graph = JobGraph::new("job".to_owned(), max, nodes, edges);
        let elapsed = started.elapsed();
        assert!(elapsed < Duration::from_secs(2), "took {elapsed:?}");
        let cost = graph.map(|graph| GraphCost::of(&graph));
        cost.and_then(|cost| cost.check().map(|()| cost.channels))
    };
    assert_eq!(job(32_768, 1_000), Ok(1_000_000));
    let too_large = |of, count, most| Err(GraphError::TooLarge { of, count, most });
    assert_eq!(
        job(32_768, 1_001),
        too_large("channels", 1_002_001, 1_000_000)
    );
    assert_eq!(
        job(32_768, 32_768),
        too_large("channels", 1 << 30, 1_000_000)
    );
    let (nodes, edges) = long_chain(30_000, Partitioning::Forward);
    let refused = job_graph(nodes, edges).map(|_| 0);
    assert_eq!(refused, too_large("nodes", 30_001, 20_000));
}

#[test]
fn a_cycle_of_ten_thousand_nodes_is_found_quickly() {
    let (nodes, mut edges) = long_chain(10_000, Partitioning::Hash);
    edges.push(edge("n9999", 0, "n1", Partitioning::Hash));
    let started = Instant::now();
    let Err(GraphError::Cycle { nodes: cycle }) = job_graph(nodes, edges) else {
        panic!("a cycle was taken for a graph");
    };
    assert_eq!(cycle.len(), 10_000);
    let elapsed = started.elapsed();
    assert!(
        elapsed < Duration::from_secs(2),
        "finding the cycle took {elapsed:?}"
    );
}
