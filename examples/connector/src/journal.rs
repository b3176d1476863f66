//! The sink `journal`: a file for each checkpoint, exactly once.

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
        let failed = || ConnectorError::io(format!("could not write page {id}"));
        let (page_file, unfinished) = (format!("{:05}.txt", id.0), self.0.join(".unfinished"));
        std::fs::create_dir_all(&self.0).map_err(failed())?;
        std::fs::write(&unfinished, page).map_err(failed())?;
        std::fs::rename(unfinished, self.0.join(page_file)).map_err(failed())
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
