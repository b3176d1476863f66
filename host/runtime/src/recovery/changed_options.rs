//! Differences between the options of a checkpoint's sources and those of the current job. Pure.
//!
//! Positions have a meaning only with the options that fix the records, so a difference stands in
//! the way unless the user accepts the source as changed.

use std::collections::BTreeSet;

use thiserror::Error;
use tidegate_checkpoint::{JobGraph, Node, NodeKind};

/// A name of a source that does not exist, though it is accepted as changed.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("`{name}` is accepted as changed, but the job has no source of that name")]
pub struct UnknownSource {
    /// The name.
    pub name: String,
    /// The names of all sources.
    pub known: Vec<String>,
}

/// Checks the names of the sources that are accepted as changed, so that a slip is found.
///
/// # Errors
///
/// The first name that no source of the job has.
pub(crate) fn check_accepted(accepted: &[String], graph: &JobGraph) -> Result<(), UnknownSource> {
    let sources = graph.nodes().iter();
    let sources = sources.filter(|node| node.kind == NodeKind::Source);
    let known: Vec<String> = sources.map(|node| node.name.clone()).collect();
    match accepted.iter().find(|name| !known.contains(name)) {
        None => Ok(()),
        Some(unknown) => Err(UnknownSource {
            name: unknown.clone(),
            known,
        }),
    }
}

/// Returns a difference for each option of a source that has changed.
pub(super) fn changed_options(old: &Node, new: &Node) -> Vec<String> {
    let options = old.options.iter().chain(&new.options);
    let keys: BTreeSet<&str> = options.map(|option| option.key.as_str()).collect();
    let changed = keys.into_iter().filter_map(|key| {
        let (before, now) = (written(old, key), written(new, key));
        (before != now).then(|| {
            format!(
                "- source `{name}` with {before}\n    + source `{name}` with {now}: write it as \
                 before, or, to continue where the source was and read the rest with the new \
                 value, add --accept-changed {name}",
                name = new.name,
            )
        })
    });
    changed.collect()
}

/// Returns an option as it is written in the job file.
fn written(node: &Node, key: &str) -> String {
    match node.options.iter().find(|option| option.key == key) {
        Some(option) => format!("{key} = {}", option.value),
        None => format!("no `{key}`"),
    }
}

#[cfg(test)]
mod tests {
    use tidegate_connector::source::FixedOption;

    use super::*;

    fn source(name: &str, options: &[(&str, &str)]) -> Node {
        let options = options.iter();
        Node {
            name: name.to_owned(),
            kind: NodeKind::Source,
            parallelism: 1,
            implementation: "file".to_owned(),
            digest: None,
            options: options
                .map(|(key, value)| FixedOption::new(key, value))
                .collect(),
            outputs: vec!["main".to_owned()],
        }
    }

    #[test]
    fn each_option_that_was_changed_set_or_unset_is_named_with_both_values() {
        let old = source("lines", &[("path", "\"a\""), ("to", "1"), ("keys", "2")]);
        let new = source(
            "lines",
            &[("path", "\"b\""), ("keys", "2"), ("format", "3")],
        );
        let beginnings: Vec<String> = changed_options(&old, &new)
            .iter()
            .map(|difference| {
                let (beginning, advice) = difference.split_once(": write").expect("has advice");
                assert!(advice.ends_with("add --accept-changed lines"), "{advice}");
                beginning.replace("\n    ", " ")
            })
            .collect();
        let expected = [
            "- source `lines` with no `format` + source `lines` with format = 3",
            "- source `lines` with path = \"a\" + source `lines` with path = \"b\"",
            "- source `lines` with to = 1 + source `lines` with no `to`",
        ];
        assert_eq!(beginnings, expected);
        assert!(changed_options(&old, &old).is_empty());
    }

    #[test]
    fn only_a_source_of_the_job_can_be_accepted() {
        let graph = |name: &str| {
            let sink = Node {
                name: "out".to_owned(),
                kind: NodeKind::Sink,
                outputs: Vec::new(),
                ..source(name, &[])
            };
            let edge = tidegate_checkpoint::Edge {
                from: name.to_owned(),
                port: 0,
                to: "out".to_owned(),
                partitioning: tidegate_checkpoint::Partitioning::Forward,
            };
            JobGraph::new(
                "job".to_owned(),
                1,
                vec![source(name, &[]), sink],
                vec![edge],
            )
        };
        let graph = graph("lines").expect("it is valid");
        let names = |names: &[&str]| -> Vec<String> {
            names.iter().map(|name| (*name).to_owned()).collect()
        };
        assert_eq!(check_accepted(&names(&["lines"]), &graph), Ok(()));
        for name in ["line", "out"] {
            let unknown = UnknownSource {
                name: name.to_owned(),
                known: names(&["lines"]),
            };
            assert_eq!(
                check_accepted(&names(&["lines", name]), &graph),
                Err(unknown)
            );
        }
    }
}
