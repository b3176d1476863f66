//! The needs of a job, and the limits that it would reach, as numbers; the system is not read.

use tidegate_checkpoint::{Edge, Node, Partitioning};

use super::*;

fn node(name: &str, kind: NodeKind, parallelism: u32) -> Node {
    let is_sink = kind == NodeKind::Sink;
    Node {
        name: name.to_owned(),
        kind,
        parallelism,
        implementation: "x".to_owned(),
        digest: None,
        options: Vec::new(),
        outputs: if is_sink {
            Vec::new()
        } else {
            vec!["main".to_owned()]
        },
    }
}

fn edge(from: &str, to: &str, partitioning: Partitioning) -> Edge {
    Edge {
        from: from.to_owned(),
        port: 0,
        to: to.to_owned(),
        partitioning,
    }
}

/// Returns a source, an operator of this many subtasks behind it, and a sink that is chained to the
/// operator.
fn graph(parallelism: u32, into_operator: Partitioning) -> JobGraph {
    let nodes = vec![
        node("in", NodeKind::Source, parallelism),
        node("op", NodeKind::Operator, parallelism),
        node("out", NodeKind::Sink, parallelism),
    ];
    let edges = vec![
        edge("in", "op", into_operator),
        edge("op", "out", Partitioning::Forward),
    ];
    JobGraph::new("job".to_owned(), 32_768, nodes, edges).expect("it is a graph")
}

/// An instance with one memory, as most have.
const ONE_MEMORY: SystemNeeds = SystemNeeds {
    mappings: 4,
    address_space: (4 << 30) + (64 << 20),
};

fn needs(parallelism: u32, instance: SystemNeeds) -> Needs {
    let graph = graph(parallelism, Partitioning::Forward);
    let instance = |operator: &str| {
        assert_eq!(operator, "op");
        instance
    };
    Needs::of(&graph, instance, |_| 0)
}

/// Returns the limits that Linux has on its own.
fn usual_limits() -> Vec<SystemLimit> {
    let limit = |name, resource, allowed, used| SystemLimit {
        name,
        resource,
        allowed,
        used,
    };
    vec![
        limit("`vm.max_map_count`", Resource::Mappings, 65_530, 200),
        limit("`kernel.threads-max`", Resource::Threads, 192_729, 300),
        limit("`kernel.pid_max`", Resource::Threads, 32_768, 300),
    ]
}

#[test]
fn subtasks_that_are_chained_share_a_thread_and_others_have_one_each() {
    let of = |partitioning| {
        let graph = graph(10, partitioning);
        Needs::of(&graph, |_| SystemNeeds::default(), |_| 0)
    };
    let (chained, apart) = (of(Partitioning::Forward), of(Partitioning::Hash));
    assert_eq!((chained.chains, chained.instances), (10, 10));
    assert_eq!((apart.chains, apart.instances), (20, 10));
    assert!(apart.threads > chained.threads && apart.mappings > chained.mappings);
}

#[test]
fn a_thousand_subtasks_of_a_harmless_guest_have_room_within_usual_limits() {
    assert_eq!(needs(1_000, ONE_MEMORY).check(&usual_limits()), Ok(()));
}

#[test]
fn fourteen_thousand_subtasks_and_many_memories_times_many_subtasks_have_no_room() {
    let many_memories = SystemNeeds {
        mappings: 64 * ONE_MEMORY.mappings,
        address_space: 64 * ONE_MEMORY.address_space,
    };
    for (parallelism, instance) in [(14_000, ONE_MEMORY), (600, many_memories)] {
        let refused = needs(parallelism, instance).check(&usual_limits());
        let refused = refused.expect_err("it has no room");
        assert_eq!(refused.limit.name, "`vm.max_map_count`");
        assert!(refused.needed > 65_530, "{refused}");
    }
}

#[test]
fn every_limit_is_refused_with_what_is_needed_allowed_and_used() {
    let needs = Needs {
        chains: 3,
        instances: 2,
        threads: 100,
        mappings: 1_000,
        address_space: 9 << 30,
        files: 50,
        data: 90 << 20,
    };
    let limit = |resource, allowed, used| SystemLimit {
        name: "`it`",
        resource,
        allowed,
        used,
    };
    let enough = [
        limit(Resource::Threads, 110, 10),
        limit(Resource::Mappings, 1_010, 10),
        limit(Resource::AddressSpace, 10 << 30, 1 << 30),
        limit(Resource::OpenFiles, 64, 14),
        limit(Resource::Data, 100 << 20, 10 << 20),
    ];
    assert_eq!(needs.check(&enough), Ok(()));
    let shown = [
        ("100 threads", "110 threads", "11 threads"),
        (
            "1000 mappings of memory",
            "1010 mappings of memory",
            "11 mappings of memory",
        ),
        (
            "9 GiB of address space",
            "10 GiB of address space",
            "2 GiB of address space",
        ),
        ("50 open files", "64 open files", "15 open files"),
        (
            "90 MiB of memory to write",
            "100 MiB of memory to write",
            "11 MiB of memory to write",
        ),
    ];
    for (index, (needed, allowed, used)) in shown.into_iter().enumerate() {
        let mut limits = enough.clone();
        limits[index].used += 1;
        let refused = needs.check(&limits).expect_err("it is one too many");
        assert_eq!(
            refused.to_string(),
            format!(
                "this system has no room for the job: its 3 chains and 2 operator instances need \
                 up to {needed}; `it` allows {allowed}, of which {used} are used"
            )
        );
    }
}

#[test]
fn what_to_do_is_said_with_the_number_to_set() {
    let refused = |resource, needed| NoRoom {
        chains: 1,
        instances: 1,
        needed,
        limit: SystemLimit {
            name: "`ulimit -u`",
            resource,
            allowed: 0,
            used: 24,
        },
    };
    let advice = refused(Resource::Mappings, 1_000).advice();
    assert!(
        advice.contains("sysctl -w vm.max_map_count=1024"),
        "{advice}"
    );
    let advice = refused(Resource::Threads, 1_000).advice();
    assert!(advice.contains("raise `ulimit -u` to 1024"), "{advice}");
    let advice = refused(Resource::AddressSpace, 1_000).advice();
    assert!(advice.contains("`ulimit -v unlimited`, or 1:"), "{advice}");
    let advice = refused(Resource::OpenFiles, 1_000).advice();
    assert!(advice.contains("`ulimit -Hn 1024`"), "{advice}");
    let advice = refused(Resource::Data, 1_000).advice();
    assert!(
        advice.contains("`ulimit -d unlimited`, or 1 plus"),
        "{advice}"
    );
}

#[test]
fn the_files_of_all_nodes_count_and_those_of_blocking_work() {
    let of = |parallelism| {
        let files = |node: &Node| match node.kind {
            NodeKind::Source | NodeKind::Operator => 1,
            NodeKind::Sink => 10_000 * u64::from(node.parallelism),
        };
        let graph = graph(parallelism, Partitioning::Forward);
        Needs::of(&graph, |_| SystemNeeds::default(), files).files
    };
    assert_eq!(of(1), 10_000 + 2 + FIXED_FILES + FILES_OF_A_BLOCKING_THREAD);
    assert_eq!(of(2) - of(1), 10_000 + FILES_OF_A_BLOCKING_THREAD);
}
