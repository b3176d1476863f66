//! A program with connectors of its own names them in the job file like any other.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use schemars::JsonSchema;
use serde::Deserialize;
use tidegate_connector::sink::SinkConnector;
use tidegate_connector::{ConnectContext, ConnectorError, ConnectorKind, ConnectorList};
use tidegate_connector::{SinkOptions, SourceOptions, source::SourceConnector};
use tidegate_connectors::{DiscardOptions, GeneratorOptions};

use super::super::JobFile;
use super::super::load::Loading;
use crate::config_file::ConfigFileError;

const JOB: &str = r#"
version = 1
name = "own"

[source.ticks]
connector = "ticks"
to = 3

[sink.well]
connector = "well"
directory = "deep/well"
inputs = [{ from = "ticks" }]
"#;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct TicksOptions {
    /// Ticks before the end.
    to: u64,
}

impl SourceOptions for TicksOptions {
    fn connect(
        self,
        context: &ConnectContext<'_>,
    ) -> Result<Arc<dyn SourceConnector>, ConnectorError> {
        let numbers = serde_json::json!({ "to": self.to });
        let numbers: GeneratorOptions = serde_json::from_value(numbers).expect("it has these");
        numbers.connect(context)
    }
}

/// Directories in which wells were connected by this process.
static WELLS: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct WellOptions {
    /// Where the well is.
    directory: PathBuf,
}

impl SinkOptions for WellOptions {
    fn connect(
        self,
        context: &ConnectContext<'_>,
    ) -> Result<Arc<dyn SinkConnector>, ConnectorError> {
        if self.directory.ends_with("dry") {
            let reason = "`directory` is dry".to_owned();
            return Err(ConnectorError::JobRefused { reason });
        }
        WELLS.lock().unwrap().push(context.resolve(&self.directory));
        DiscardOptions::default().connect(context)
    }

    fn directory(&self) -> Option<&Path> {
        Some(&self.directory)
    }
}

fn with_own() -> ConnectorList {
    let list = super::connectors().with(ConnectorKind::source::<TicksOptions>("ticks"));
    let list = list.and_then(|list| list.with(ConnectorKind::sink::<WellOptions>("well")));
    list.expect("their names are not taken")
}

fn load(text: &str) -> Result<super::super::LoadedJob, ConfigFileError> {
    let file = JobFile::from_bytes(Path::new("/jobs/job.toml"), text.as_bytes().to_vec());
    file.expect("it is text")
        .load(None, Loading::new(with_own()))
}

/// The first problem's message and help.
fn problem(text: &str) -> (String, Option<String>) {
    match load(text).err() {
        Some(ConfigFileError::Invalid(invalid)) => {
            let first = invalid.problems.into_iter().next();
            let first = first.expect("it is wrong, so something is");
            (first.message, first.help)
        }
        other => panic!("not invalid: {other:?}"),
    }
}

#[test]
fn own_connectors_are_connected_beside_the_job_file() {
    let loaded = load(JOB).expect("the job is right");
    assert_eq!(loaded.job.sources["ticks"].connector(), "generator");
    assert_eq!(loaded.job.sinks["well"].connector(), "discard");
    let wells = WELLS.lock().unwrap();
    assert_eq!(
        wells.last().map(PathBuf::as_path),
        Some(Path::new("/jobs/deep/well"))
    );
}

#[test]
fn mistakes_in_their_options_are_reported_like_those_of_any_connector() {
    assert_eq!(
        problem(&JOB.replace("\"ticks\"\nto", "\"tick\"\nto")),
        (
            "source `ticks` has the unknown connector `tick`".to_owned(),
            Some(
                "did you mean `ticks`? the source connectors are `generator`, `file`, `stdin`, \
                 `ticks`"
                    .to_owned()
            )
        )
    );
    assert_eq!(
        problem(&JOB.replace("to = 3", "too = 3")).0,
        "unknown key `too` in source `ticks` (connector `ticks`)"
    );
    assert_eq!(
        problem(&JOB.replace("deep/well", "dry")).0,
        "sink `well`: `directory` is dry"
    );
    let twice = format!("{JOB}\n{}", JOB.split_once("[sink.well]").unwrap().1).replacen(
        "\n\nconnector = \"well\"",
        "\n\n[sink.other]\nconnector = \"well\"",
        1,
    );
    let (message, _) = problem(&twice);
    assert!(
        message.contains("has the same `directory` as sink"),
        "{message}"
    );
}

#[test]
fn a_source_that_rejects_nothing_can_not_send_dead_letters() {
    let with = "to = 3\non-invalid-record = \"dead-letter\"";
    let from = "{ from = \"ticks\" }, { from = \"ticks:dead-letter\" }";
    let text = JOB.replace("to = 3", with);
    let text = text.replace("{ from = \"ticks\" }", from);
    assert_eq!(
        problem(&text),
        (
            "source `ticks` (connector `ticks`) rejects no input as it is set up".to_owned(),
            Some(
                "expected no `on-invalid-record`, or a `format` that not every input has"
                    .to_owned()
            )
        )
    );
}

#[test]
fn a_program_without_a_terminal_of_its_own_can_print_what_is_wrong() {
    let error = load(&JOB.replace("to = 3", "too = 3")).err();
    let said = error.expect("it is wrong").to_string();
    assert!(
        said.starts_with("job file /jobs/job.toml can't be used: line "),
        "{said}"
    );
    let problem = "line 7, column 1: unknown key `too` in source `ticks` (connector `ticks`)";
    assert!(said.contains(problem), "{said}");
}

#[test]
fn their_options_are_in_the_schema() {
    let schema = crate::schema(&with_own());
    let job: toml::Table = toml::from_str(JOB).expect("the file is TOML");
    let job = serde_json::to_value(job).expect("the file has a JSON form");
    let is_valid = |schema| jsonschema::is_valid(schema, &job);
    assert!(is_valid(&schema));
    assert!(!is_valid(&crate::schema(&super::connectors())));
}
