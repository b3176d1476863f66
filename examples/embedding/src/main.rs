//! Counts the words of a text with the job of `shell-pipe`, inside this process: its source reads
//! from memory in place of standard input, and its sink writes into memory in place of standard
//! output.

use std::io::{self, Cursor, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result, ensure};
use bytesize::ByteSize;
use tidegate_connectors::{InputFormat, StdinOptions, StdoutOptions, built_in};
use tidegate_job_file::{JobFile, Loading};
use tidegate_runtime::{Job, JobHandle, Outcome, RunOptions, prepare};

const TEXT: &str = "the tide comes in\nand the tide goes out\n";

fn main() -> Result<()> {
    let job_file = std::env::args_os().nth(1).map(PathBuf::from);
    let job_file = job_file.context("usage: embedding examples/shell-pipe/job.toml")?;
    let counts = count_words(&job_file, TEXT)?;
    io::stdout().write_all(counts.as_bytes())?;
    Ok(())
}

/// Returns a line `WORD<tab>COUNT` for each word of `text`, sorted.
fn count_words(job_file: &Path, text: &'static str) -> Result<String> {
    let mut job = JobFile::read(job_file)?
        .load(None, Loading::new(built_in()))?
        .job;
    // A connector is a value in a map, by the name of its node in the job file.
    let stdin = StdinOptions {
        accept_loss: true,
        format: InputFormat::Lines,
        columns: None,
        key: None,
        value: None,
        max_record_bytes: ByteSize::mib(1),
    };
    let source = stdin.connect_reader(Box::new(Cursor::new(text)))?;
    job.sources.insert("lines".to_owned(), source);
    let memory = Memory::default();
    let sink = StdoutOptions::default().connect_writer(Box::new(memory.clone()))?;
    job.sinks.insert("counts".to_owned(), sink);
    run(job)?;
    let written = memory.written()?;
    let mut lines: Vec<&str> = written.lines().collect();
    lines.sort_unstable();
    Ok(lines.iter().map(|line| format!("{line}\n")).collect())
}

/// Runs a job to its end, with checkpoints in a temporary directory: in a permanent one, the next
/// call would find a job that has finished.
fn run(job: Job) -> Result<()> {
    let checkpoints = tempfile::tempdir()?;
    let options = RunOptions::default();
    // Checks everything, locks the directory, and creates nothing if the job can't run.
    let store = prepare(&job, checkpoints.path(), &options)?;
    // The handle takes savepoints, stops the job, and shows its status, also from other threads.
    let (handle, control) = JobHandle::new(job.graph.job());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()?;
    let outcome = runtime.block_on(tidegate_runtime::run(
        job,
        Arc::new(store),
        options,
        control,
    ))?;
    ensure!(outcome == Outcome::Finished, "the job did not finish");
    let records = handle.status().source_records;
    writeln!(io::stderr(), "the job has read {records} lines")?;
    Ok(())
}

/// The output of a sink, shared by all clones.
#[derive(Clone, Default)]
struct Memory {
    bytes: Arc<Mutex<Vec<u8>>>,
}

impl Memory {
    fn written(&self) -> Result<String> {
        let bytes = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        let text = String::from_utf8(bytes.clone());
        text.context("a word is not UTF-8")
    }
}

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut memory = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        memory.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
