//! The sink `journal`: a file for each checkpoint, exactly once.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fs, io};

use tidegate_connector::sink::{PendingOutput, PreCommit, Sink, SinkConnector, SinkStart};
use tidegate_connector::{CheckpointId, ConnectContext, ConnectorError, Lineage, SubtaskId};
use tidegate_operator::Batch;

#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct JournalOptions {
    /// The directory of the files, relative to the job file.
    directory: PathBuf,
}

impl tidegate_connector::SinkOptions for JournalOptions {
    fn connect(self, at: &ConnectContext<'_>) -> Result<Arc<dyn SinkConnector>, ConnectorError> {
        Ok(Arc::new(Journal(at.resolve(self.directory))))
    }
}

struct Journal(PathBuf);

impl SinkConnector for Journal {
    fn connector(&self) -> &'static str {
        "journal"
    }

    fn is_exactly_once(&self) -> bool {
        true
    }

    /// Commits the output that the checkpoint lists: a failure may have come before its commit.
    fn recover(&self, start: &SinkStart) -> Result<(), ConnectorError> {
        self.commit(start.checkpoint, &start.pending)
    }

    fn open(&self, _: &SubtaskId, _: Lineage, _: u64) -> Result<Box<dyn Sink>, ConnectorError> {
        Ok(Box::new(Page(Vec::new())))
    }

    /// Writes the same file with the same contents at each call.
    fn commit(&self, id: CheckpointId, pages: &[PendingOutput]) -> Result<(), ConnectorError> {
        let page: Vec<u8> = pages.iter().flat_map(|page| page.0.clone()).collect();
        if page.is_empty() {
            return Ok(());
        }
        let written = write(&self.0, &format!("{:05}.txt", id.0), &page);
        written.map_err(ConnectorError::io(format!("could not write page {id}")))
    }
}

/// Writes a file that survives a power failure, since no later checkpoint lists it.
fn write(directory: &Path, name: &str, page: &[u8]) -> io::Result<()> {
    let unfinished = directory.join(".unfinished");
    fs::create_dir_all(directory)?;
    fs::write(&unfinished, page)?;
    fs::File::open(&unfinished)?.sync_all()?;
    fs::rename(unfinished, directory.join(name))?;
    fs::File::open(directory)?.sync_all()
}

/// The lines since the last barrier. They go into the checkpoint, so there should be few.
struct Page(Vec<u8>);

impl Sink for Page {
    fn write(&mut self, batch: &Batch) -> Result<(), ConnectorError> {
        for value in batch.values().rows() {
            self.0.extend([value, b"\n"].concat());
        }
        Ok(())
    }

    fn pre_commit(&mut self, _: CheckpointId) -> Result<PreCommit, ConnectorError> {
        let page = PendingOutput(std::mem::take(&mut self.0));
        Ok(Box::new(|| Ok(vec![page])))
    }
}
