//! A user's own program, which runs job files with two connectors that `tidegate` does not have.

mod countdown;
mod journal;

use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use tidegate_connector::ConnectorKind;
use tidegate_job_file::{JobFile, Loading};
use tidegate_runtime::{JobHandle, RunOptions, prepare, run};

fn main() -> anyhow::Result<()> {
    let job_file = std::env::args_os().nth(1).map(PathBuf::from);
    let job_file = job_file.context("usage: own-connector JOB.toml")?;
    let connectors = tidegate_connectors::built_in()
        .with(ConnectorKind::source::<countdown::CountdownOptions>(
            "countdown",
        ))?
        .with(ConnectorKind::sink::<journal::JournalOptions>("journal"))?;
    let loaded = JobFile::read(&job_file)?.load(None, Loading::new(connectors))?;
    let options = RunOptions::default();
    let store = Arc::new(prepare(
        &loaded.job,
        &loaded.checkpoint_directory,
        &options,
    )?);
    let (_handle, control) = JobHandle::new(loaded.job.graph.job());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()?;
    let outcome = runtime.block_on(run(loaded.job, store, options, control))?;
    writeln!(std::io::stderr(), "{outcome:?}")?;
    Ok(())
}
