//! The sink `journal`: a file for each checkpoint, exactly once.

use std::fs::{self, File};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use tidegate_connector::sink::{PendingOutput, PreCommit, Sink, SinkConnector, SinkStart};
use tidegate_connector::{
    CheckpointId, ConnectContext, ConnectorError, Lineage, SinkOptions, SubtaskId,
};
use tidegate_operator::Batch;

#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct JournalOptions {
    /// The directory of the files, relative to the job file.
    directory: PathBuf,
}

impl SinkOptions for JournalOptions {
    fn connect(self, at: &ConnectContext<'_>) -> Result<Arc<dyn SinkConnector>, ConnectorError> {
        Ok(Arc::new(Journal(at.resolve(self.directory))))
    }
}

struct Journal(PathBuf);

impl Journal {
    /// The page survives a power failure, since no later checkpoint lists it.
    fn write(&self, name: &str, page: &[u8]) -> io::Result<()> {
        let unfinished = self.0.join(".unfinished");
        fs::create_dir_all(&self.0)?;
        fs::write(&unfinished, page)?;
        File::open(&unfinished)?.sync_all()?;
        fs::rename(unfinished, self.0.join(name))?;
        File::open(&self.0)?.sync_all()
    }
}

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
        match page.is_empty() {
            true => Ok(()),
            false => self
                .write(&format!("{:05}.txt", id.0), &page)
                .map_err(ConnectorError::io(format!("could not write page {id}"))),
        }
    }
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
