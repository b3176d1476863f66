//! `tidegate graph`: the job graph for people and for tools. Pure, except for the printing.

use tidegate_checkpoint::{DEAD_LETTER, DEAD_LETTER_PORT, Edge, JobGraph, Node, NodeKind};
use tidegate_connectors::built_in;
use tidegate_job_file::JobFile;

use crate::args::{GraphArgs, GraphFormat};
use crate::failure::Failure;
use crate::terminal::{Lines, Terminal};

/// Prints the graph.
pub(crate) fn graph(args: &GraphArgs, terminal: &Terminal) -> Result<(), Failure> {
    let graph = JobFile::read(&args.job.file)?.graph(args.defaults.parallelism, &built_in())?;
    match args.format {
        GraphFormat::Text => terminal.data(&text(&graph)),
        GraphFormat::Dot => terminal.data(&dot(&graph)),
        GraphFormat::Mermaid => terminal.data(&mermaid(&graph)),
        GraphFormat::Json => terminal.json(&graph),
    }
}

fn text(graph: &JobGraph) -> Lines {
    let (job, most) = (graph.job(), graph.max_parallelism());
    let mut lines = Lines::one(format_args!("{job}, max-parallelism {most}"));
    for node in graph.nodes() {
        lines.line(format_args!(
            "{} {}, {}",
            node.kind,
            node.name,
            details(node)
        ));
        for edge in graph.inputs_of(&node.name) {
            let from = origin(graph, edge);
            lines.line(format_args!("  <- {from} ({})", edge.partitioning));
        }
    }
    lines
}

fn details(node: &Node) -> String {
    let implementation = match node.kind {
        NodeKind::Source | NodeKind::Sink => format!("connector {}, ", node.implementation),
        NodeKind::Operator => String::new(),
    };
    format!("{implementation}parallelism {}", node.parallelism)
}

/// Returns the upstream node, with its port if it has several.
fn origin(graph: &JobGraph, edge: &Edge) -> String {
    match port(graph, edge) {
        Some(port) => format!("{}:{port}", edge.from),
        None => edge.from.clone(),
    }
}

/// Returns the name of the edge's port if the node has several.
fn port<'a>(graph: &'a JobGraph, edge: &Edge) -> Option<&'a str> {
    if edge.port == DEAD_LETTER_PORT {
        return Some(DEAD_LETTER);
    }
    let outputs = &graph.node(&edge.from)?.outputs;
    let port = usize::try_from(edge.port).ok()?;
    outputs
        .get(port)
        .filter(|_| outputs.len() > 1)
        .map(String::as_str)
}

fn edge_label(graph: &JobGraph, edge: &Edge) -> String {
    match port(graph, edge) {
        Some(port) => format!("{port}, {}", edge.partitioning),
        None => edge.partitioning.to_string(),
    }
}

/// Returns the graph for Graphviz. No name of a node or job has a character that would need
/// quoting.
fn dot(graph: &JobGraph) -> Lines {
    let mut lines = Lines::one(format_args!("digraph \"{}\" {{", graph.job()));
    lines.line("  rankdir=LR;");
    for node in graph.nodes() {
        let shape = match node.kind {
            NodeKind::Source => "invhouse",
            NodeKind::Operator => "box",
            NodeKind::Sink => "house",
        };
        let (name, label) = (&node.name, details(node));
        let label = format!("{name}\\n{label}");
        lines.line(format_args!(
            "  \"{name}\" [shape={shape}, label=\"{label}\"];"
        ));
    }
    for edge in graph.edges() {
        let label = edge_label(graph, edge);
        let (from, to) = (&edge.from, &edge.to);
        lines.line(format_args!(
            "  \"{from}\" -> \"{to}\" [label=\"{label}\"];"
        ));
    }
    lines.line("}");
    lines
}

/// Returns the graph for Mermaid. Nodes are numbered, since `end` and others are keywords there.
fn mermaid(graph: &JobGraph) -> Lines {
    let mut lines = Lines::one("flowchart LR");
    let number = |name: &str| graph.nodes().iter().position(|node| node.name == name);
    for (index, node) in graph.nodes().iter().enumerate() {
        let (open, close) = match node.kind {
            NodeKind::Source => ("([", "])"),
            NodeKind::Operator => ("[", "]"),
            NodeKind::Sink => ("[(", ")]"),
        };
        let label = format!("{}<br/>{}", node.name, details(node));
        lines.line(format_args!("  n{index}{open}\"{label}\"{close}"));
    }
    for edge in graph.edges() {
        let label = edge_label(graph, edge);
        if let (Some(from), Some(to)) = (number(&edge.from), number(&edge.to)) {
            lines.line(format_args!("  n{from} -->|\"{label}\"| n{to}"));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use tidegate_checkpoint::Partitioning;

    use super::*;

    fn node(name: &str, kind: NodeKind, implementation: &str, outputs: &[&str]) -> Node {
        Node {
            name: name.to_owned(),
            kind,
            parallelism: 2,
            implementation: implementation.to_owned(),
            digest: None,
            options: Vec::new(),
            outputs: outputs.iter().map(|name| (*name).to_owned()).collect(),
        }
    }

    fn edge(from: &str, port: u32, to: &str) -> Edge {
        Edge {
            from: from.to_owned(),
            port,
            to: to.to_owned(),
            partitioning: Partitioning::Hash,
        }
    }

    fn sample() -> JobGraph {
        let nodes = vec![
            node("lines", NodeKind::Source, "file", &["main"]),
            node("split", NodeKind::Operator, "component", &["main", "late"]),
            node("out", NodeKind::Sink, "stdout", &[]),
        ];
        let edges = vec![
            edge("lines", 0, "split"),
            edge("split", 1, "out"),
            edge("split", DEAD_LETTER_PORT, "out"),
        ];
        JobGraph::new("words".to_owned(), 128, nodes, edges).unwrap()
    }

    #[test]
    fn text_has_a_line_for_each_node_and_each_input() {
        assert_eq!(
            text(&sample()).as_str(),
            "words, max-parallelism 128\n\
             source lines, connector file, parallelism 2\n\
             operator split, parallelism 2\n  <- lines (hash)\n\
             sink out, connector stdout, parallelism 2\n  <- split:late (hash)\n  \
             <- split:dead-letter (hash)\n"
        );
    }

    #[test]
    fn dot_has_every_node_and_edge() {
        assert_eq!(
            dot(&sample()).as_str(),
            "digraph \"words\" {\n  rankdir=LR;\n  \
             \"lines\" [shape=invhouse, label=\"lines\\nconnector file, parallelism 2\"];\n  \
             \"split\" [shape=box, label=\"split\\nparallelism 2\"];\n  \
             \"out\" [shape=house, label=\"out\\nconnector stdout, parallelism 2\"];\n  \
             \"lines\" -> \"split\" [label=\"hash\"];\n  \
             \"split\" -> \"out\" [label=\"late, hash\"];\n  \
             \"split\" -> \"out\" [label=\"dead-letter, hash\"];\n}\n"
        );
    }

    #[test]
    fn mermaid_has_every_node_and_edge() {
        assert_eq!(
            mermaid(&sample()).as_str(),
            "flowchart LR\n  \
             n0([\"lines<br/>connector file, parallelism 2\"])\n  \
             n1[\"split<br/>parallelism 2\"]\n  \
             n2[(\"out<br/>connector stdout, parallelism 2\")]\n  \
             n0 -->|\"hash\"| n1\n  \
             n1 -->|\"late, hash\"| n2\n  \
             n1 -->|\"dead-letter, hash\"| n2\n"
        );
    }
}
