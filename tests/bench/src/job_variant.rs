//! A benchmark's job file with the changes of one run: the directory of the state, the interval of
//! checkpoints, the sink.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use toml::{Table, Value};

use crate::workspace::Workspace;

/// Longer than any run.
const NO_CHECKPOINTS: &str = "1h";

/// The differences from the job file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Changes {
    /// True to take no checkpoint but the last one.
    pub(crate) without_checkpoints: bool,
    /// True to replace every sink by `stdout`.
    pub(crate) to_stdout: bool,
    /// The number of keys, in place of the job file's.
    pub(crate) keys: Option<u64>,
    /// A glob of input files, in place of the job file's.
    pub(crate) text: Option<PathBuf>,
    /// Records per second over all sources. The sources then note when each record was due, and
    /// every sink measures how late it arrives.
    pub(crate) rate: Option<u32>,
    /// The parallelism of every operator and sink, in place of the job file's.
    pub(crate) width: Option<u32>,
    /// True if bounded sources have no end.
    pub(crate) endless: bool,
}

/// A job in its own directory, ready to run.
#[derive(Debug)]
pub(crate) struct JobVariant {
    /// The job file.
    pub(crate) file: PathBuf,
    /// The checkpoint directory.
    pub(crate) state: PathBuf,
}

impl JobVariant {
    /// Writes the variant into an empty directory.
    pub(crate) fn write(workspace: &Workspace, name: &str, changes: &Changes) -> Result<Self> {
        let original = workspace.job_file(name);
        let text = std::fs::read_to_string(&original)
            .with_context(|| format!("read {}", original.display()))?;
        let mut job: Table = text
            .parse()
            .with_context(|| format!("parse {}", original.display()))?;
        let base = original.parent().context("a job file has a directory")?;
        change(&mut job, base, changes)?;

        let directory = workspace.run_directory()?;
        let file = directory.join("job.toml");
        std::fs::write(&file, job.to_string())
            .with_context(|| format!("write {}", file.display()))?;
        Ok(Self {
            file,
            state: directory.join("state"),
        })
    }
}

/// Applies the changes. `base` is the directory that the job file's paths are relative to.
fn change(job: &mut Table, base: &Path, changes: &Changes) -> Result<()> {
    let checkpoint = table(job, "checkpoint")?;
    checkpoint.insert("directory".to_owned(), "state".into());
    if changes.without_checkpoints {
        checkpoint.insert("interval".to_owned(), NO_CHECKPOINTS.into());
    }
    change_sources(table(job, "source")?, changes)?;
    for operator in nodes(table(job, "operator")?) {
        let component = operator.get("component").and_then(Value::as_str);
        let component = base.join(component.context("an operator has a component")?);
        operator.insert("component".to_owned(), path_value(&component)?);
        set_width(operator, changes);
    }
    for sink in nodes(table(job, "sink")?) {
        if changes.rate.is_some() {
            sink.insert("measure-lag".to_owned(), true.into());
        }
        if changes.to_stdout {
            sink.retain(|key, _| key == "inputs" || key == "parallelism");
            sink.insert("connector".to_owned(), "stdout".into());
        }
        set_width(sink, changes);
    }
    Ok(())
}

fn change_sources(sources: &mut Table, changes: &Changes) -> Result<()> {
    let source_count = u32::try_from(sources.len())?;
    for source in nodes(sources) {
        if let (Some(keys), true) = (changes.keys, source.contains_key("keys")) {
            source.insert("keys".to_owned(), i64::try_from(keys)?.into());
        }
        if let (Some(text), true) = (&changes.text, source.contains_key("path")) {
            source.insert("path".to_owned(), path_value(text)?);
        }
        if let Some(rate) = changes.rate {
            source.insert("rate".to_owned(), (rate / source_count).max(1).into());
            source.insert("timestamps".to_owned(), "due".into());
        }
        if changes.endless {
            source.remove("to");
        }
    }
    Ok(())
}

fn set_width(node: &mut Table, changes: &Changes) {
    if let Some(width) = changes.width {
        node.insert("parallelism".to_owned(), width.into());
    }
}

/// Returns the nodes of one kind. Values that are not tables are no nodes; `tidegate` will reject
/// them.
fn nodes(kind: &mut Table) -> impl Iterator<Item = &mut Table> {
    kind.iter_mut().filter_map(|(_, node)| node.as_table_mut())
}

fn table<'a>(job: &'a mut Table, name: &str) -> Result<&'a mut Table> {
    match job.get_mut(name) {
        Some(Value::Table(table)) => Ok(table),
        _ => bail!("the job file has no table `{name}`"),
    }
}

fn path_value(path: &Path) -> Result<Value> {
    let text = path.to_str().context("the project's path is not UTF-8")?;
    Ok(text.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const JOB: &str = "
        [checkpoint]
        directory = \"here\"
        interval = \"1s\"
        [source.numbers]
        connector = \"generator\"
        keys = 5
        [operator.sum]
        component = \"../sum.wasm\"
        [sink.sums]
        connector = \"discard\"
        inputs = [{ from = \"sum\" }]
    ";

    fn changed(changes: &Changes) -> Table {
        let mut job: Table = JOB.parse().expect("it is TOML");
        change(&mut job, Path::new("/jobs"), changes).expect("it is a job");
        job
    }

    #[test]
    fn an_unchanged_job_keeps_its_settings_and_finds_its_component_elsewhere() {
        let expected = JOB.replace("here", "state").replace("../", "/jobs/../");
        let expected: Table = expected.parse().expect("it is TOML");
        assert_eq!(changed(&Changes::default()), expected);
    }

    #[test]
    fn every_change_is_made() {
        let changes = Changes {
            without_checkpoints: true,
            to_stdout: true,
            keys: Some(7),
            width: Some(9),
            ..Changes::default()
        };
        let job = changed(&changes);
        assert_eq!(job["checkpoint"]["interval"].as_str(), Some("1h"));
        assert_eq!(job["source"]["numbers"]["keys"].as_integer(), Some(7));
        assert_eq!(job["sink"]["sums"]["connector"].as_str(), Some("stdout"));
        for node in [&job["operator"]["sum"], &job["sink"]["sums"]] {
            assert_eq!(node["parallelism"].as_integer(), Some(9));
        }
        assert_eq!(
            job["sink"]["sums"]["inputs"][0]["from"].as_str(),
            Some("sum")
        );
    }
    #[test]
    fn a_rate_makes_sources_say_when_records_were_due_and_sinks_measure() {
        let changes = Changes {
            rate: Some(1_000),
            ..Changes::default()
        };
        let job = changed(&changes);
        let source = &job["source"]["numbers"];
        assert_eq!(source["rate"].as_integer(), Some(1_000));
        assert_eq!(source["timestamps"].as_str(), Some("due"));
        assert_eq!(job["sink"]["sums"]["measure-lag"].as_bool(), Some(true));
    }
}
