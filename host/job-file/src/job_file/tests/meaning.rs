//! The jobs that valid job files describe.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tidegate_checkpoint::{Edge, GraphError};
use tidegate_runtime::config::{
    IsolationSettings, RecordPolicies, RecordPolicy, RecycleAt, RestartSettings,
};

use super::super::document::{Document, PartEntry};
use super::super::{parse, wiring};
use super::{FULL, connectors, file};
use crate::config_file::problem::Problems;
use crate::config_file::setting::Placed;

fn with_document<T>(text: &str, look: impl FnOnce(&Document<'_>) -> T) -> T {
    let problems = Problems::default();
    let document = parse::parse(text, &problems).expect("the file is right");
    assert!(problems.is_empty());
    look(&document)
}

#[test]
fn the_components_of_a_job_file_are_known_before_they_exist() {
    let named = |text: &str| {
        let found = file(text).components();
        let found = found.map(|found| found.into_iter().map(|named| (named.operator, named.path)));
        found.map(Vec::from_iter).map_err(|error| error.to_string())
    };
    let component = |operator: &str, path: &str| (operator.to_owned(), PathBuf::from(path));
    let expected = [
        component("split", "./split.wasm"),
        component("count", "./count.wasm"),
    ];
    assert_eq!(named(FULL), Ok(expected.to_vec()));
    let wrong = FULL.replace("component = \"split.wasm\"", "component = 7");
    assert!(named(&wrong).is_err());
}

#[test]
fn drills_are_off_unless_they_are_asked_for() {
    let every =
        |text: &str| with_document(text, |document| document.checkpoint.settings.drill_every);
    assert_eq!(every(FULL), Some(10));
    assert_eq!(every(&FULL.replace("drill-every = 10\n", "")), None);
}

#[test]
fn waits_between_restarts_grow_by_the_multiplier_of_the_file() {
    let multiplier = |text: &str| {
        with_document(text, |document| match &document.restart {
            RestartSettings::ExponentialBackoff(settings) => Some(settings.backoff_multiplier),
            RestartSettings::None | RestartSettings::FixedDelay(_) => None,
        })
    };
    assert_eq!(multiplier(FULL), Some(3));
    assert_eq!(
        multiplier(&FULL.replace("backoff-multiplier = 3\n", "")),
        Some(2)
    );
}

#[test]
fn config_is_handed_over_as_json() {
    let config = with_document(FULL, |document| {
        let parts = document.nodes.usable.iter().map(|node| &node.part);
        let configs = parts.filter_map(|part| match part {
            PartEntry::Operator(operator) => Some(operator.config.json.clone()),
            PartEntry::Source(_) | PartEntry::Sink(_) => None,
        });
        configs.collect::<Vec<_>>()
    });
    assert_eq!(
        config,
        [
            "{}",
            r#"{"deep":[1,{"a":2.5,"at":"2026-01-02"}],"on":true,"text":"x"}"#
        ]
    );
}

#[test]
fn policies_and_isolation_are_those_of_the_file() {
    let (policies, isolation) = with_document(FULL, |document| {
        let parts = document.nodes.usable.iter().map(|node| &node.part);
        let policies = parts.filter_map(|part| match part {
            PartEntry::Operator(operator) => Some(operator.policies),
            PartEntry::Source(_) | PartEntry::Sink(_) => None,
        });
        (policies.collect::<Vec<_>>(), document.isolation.clone())
    });
    let count = RecordPolicies {
        on_invalid_record: RecordPolicy::Fail,
        on_trap: RecordPolicy::DeadLetter,
    };
    assert_eq!(policies, [RecordPolicies::default(), count]);
    let expected = IsolationSettings {
        restarts: 7,
        period: Duration::from_secs(60),
        in_a_row: 30,
    };
    assert_eq!(isolation, expected);
}

#[test]
fn an_operator_is_recycled_at_its_own_share_or_at_the_default() {
    let shares = |text: &str| {
        with_document(text, |document| {
            let parts = document.nodes.usable.iter().map(|node| &node.part);
            let own = parts.filter_map(|part| match part {
                PartEntry::Operator(operator) => Some(operator.recycle_at),
                PartEntry::Source(_) | PartEntry::Sink(_) => None,
            });
            (document.defaults.recycle_at, own.collect::<Vec<_>>())
        })
    };
    let (default, own) = shares(FULL);
    assert_eq!(default, RecycleAt::Percent(60));
    assert_eq!(own, [None, Some(RecycleAt::Never)]);
    let (default, _) = shares(&FULL.replacen("recycle-at = \"60%\"", "", 1));
    assert_eq!(default, RecycleAt::Percent(75));
}

#[test]
fn a_share_that_is_none_is_refused() {
    for (share, reason) in [
        ("75", "the `%` is missing"),
        ("0%", "not a whole number from 1 to 100"),
        ("101%", "not a whole number from 1 to 100"),
        ("7.5%", "not a whole number from 1 to 100"),
        ("off", "the `%` is missing"),
    ] {
        let text = FULL.replacen("60%", share, 1);
        let found = super::problems_of(&text);
        let message = format!("`recycle-at` of [defaults] is {share:?}: {reason}");
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].message, message);
    }
}

#[test]
fn edges_get_their_defaults_from_the_parallelism_on_both_sides() {
    let edges = |parallelism: Option<u32>| {
        let graph = file(FULL)
            .graph(parallelism, &connectors())
            .expect("the file is right");
        let edge = |edge: &Edge| {
            let from = match edge.port {
                0 => format!("{}:0", edge.from),
                _ => edge.origin(),
            };
            format!("{from} -> {} {}", edge.to, edge.partitioning)
        };
        graph.edges().iter().map(edge).collect::<Vec<_>>()
    };
    assert_eq!(
        edges(None),
        [
            "lines:0 -> split rebalance",
            "numbers:0 -> split rebalance",
            "split:0 -> count hash",
            "count:0 -> counts forward",
            "split:1 -> counts rebalance",
            "split:1 -> shown broadcast",
            "count:dead-letter -> letters forward",
        ]
    );
    let of_three = edges(Some(3));
    assert_eq!(
        of_three[1], "numbers:0 -> split forward",
        "--parallelism counts"
    );
    assert_eq!(of_three[4], "split:1 -> counts forward");
}

#[test]
fn an_operator_without_outputs_has_as_many_ports_as_are_read() {
    let text = FULL.replacen("outputs = [\"main\", \"late\"]", "", 1);
    let text = text.replacen("split:late", "split:2", 1);
    let graph = file(&text)
        .graph(None, &connectors())
        .expect("the file is right");
    let outputs = |name| graph.node(name).map(|node| node.outputs.join(" "));
    assert_eq!(outputs("split").as_deref(), Some("main 1 2"));
    assert_eq!(outputs("count").as_deref(), Some("main"));
    assert_eq!(outputs("counts").as_deref(), Some(""));
}

#[test]
fn a_running_job_is_found_by_a_file_that_is_wrong_elsewhere() {
    let text = FULL.replacen("interval = \"1s\"", "intervall = 1", 1);
    let (directory, name) = file(&text).address().expect("it is TOML");
    assert_eq!(directory, Path::new("./checkpoints"));
    assert_eq!(name.as_deref(), Some("word-count"));
    let bare = file("version = 9").address().expect("it is TOML");
    assert_eq!(bare, (PathBuf::from("./state"), None));
}

#[test]
fn a_problem_without_a_place_in_the_file_has_none() {
    with_document(FULL, |document| {
        let error = GraphError::Parallelism {
            node: "numbers".to_owned(),
            parallelism: 100,
            max: 64,
        };
        let flag = Placed::from(100);
        assert_eq!(wiring::place(&error, document, &flag).span, None);
    });
}
