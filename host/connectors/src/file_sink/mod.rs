//! Record path: source → channel → operator instance → router → [sink `file`].
//! Barrier path: the last step; a part becomes visible only when its checkpoint is complete.
//!
//! Exactly-once output as files of one directory. A subtask writes the records between two barriers
//! into a hidden part. A rename publishes the part when the checkpoint is complete, and again,
//! harmlessly, when the job recovers from it. The marker `_tidegate` names the owner of the
//! directory, so that neither another job nor an older checkpoint can mix its output in. A lock
//! keeps a second run out while the first is alive.
//!
//! The invariants:
//! - only the run that has the lock, and whose marker stands in the directory, publishes;
//! - every visible part belongs to a complete checkpoint, and is published once;
//! - a file whose name is not that of a part of this job is never changed or removed.

mod directory;
mod marker;
mod names;
mod ownership;
mod part;
mod recovery;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use schemars::JsonSchema;
use serde::Deserialize;
use tidegate_connector::sink::{NewerOutput, PendingOutput, Sink, SinkConnector, SinkStart};
use tidegate_connector::{
    CheckpointId, ConnectContext, ConnectorError, Lineage, SinkOptions, SubtaskId,
};
use tidegate_file_system::{FileSystem, LocalFiles};

use crate::record_format::{JsonlValue, RecordForm, RecordFormat};

use directory::OutputDirectory;
use marker::Marker;
use names::{LineageDigits, PartName};
use part::PendingPart;
use writer::FileSink;

/// Options of the sink `file`, which is exactly-once.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct FileSinkOptions {
    /// The directory of the output, relative to the job file; created if missing. Output is every
    /// file in it whose name starts with neither a dot nor an underscore.
    pub directory: PathBuf,
    /// The form of a record.
    #[serde(default)]
    pub format: RecordFormat,
    /// The form of the value, for `format = "jsonl"`; `text` without it.
    #[serde(default)]
    pub value: Option<JsonlValue>,
    /// The members of the value that are written, in this order, for `format = "csv"`.
    #[serde(default)]
    pub columns: Option<Vec<String>>,
}

impl SinkOptions for FileSinkOptions {
    fn connect(
        self,
        context: &ConnectContext<'_>,
    ) -> Result<Arc<dyn SinkConnector>, ConnectorError> {
        self.connect_in(Arc::new(LocalFiles), context.directory())
    }

    fn directory(&self) -> Option<&Path> {
        Some(&self.directory)
    }
}

impl FileSinkOptions {
    /// Makes the connector on a file system other than the local one, for simulations. `directory`
    /// is relative to `base`. Opens nothing yet.
    ///
    /// # Errors
    ///
    /// [`ConnectorError::JobRefused`] if `directory` is empty or the options do not fit together.
    pub fn connect_in(
        self,
        files: Arc<dyn FileSystem>,
        base: &Path,
    ) -> Result<Arc<dyn SinkConnector>, ConnectorError> {
        if self.directory.as_os_str().is_empty() {
            return Err(ConnectorError::JobRefused {
                reason: "`directory` must not be empty".to_owned(),
            });
        }
        Ok(Arc::new(FileConnector {
            files,
            path: base.join(&self.directory),
            form: RecordForm::checked(self.format, self.columns, self.value)?,
            held: Mutex::new(None),
        }))
    }
}

struct FileConnector {
    files: Arc<dyn FileSystem>,
    path: PathBuf,
    form: RecordForm,
    /// `Some` once this run has locked the directory.
    held: Mutex<Option<Held>>,
}

/// The directory and its lock.
const FILES_OF_A_DIRECTORY: u64 = 2;
/// The part being written, and the previous one, which is becoming durable.
const FILES_OF_A_SUBTASK: u64 = 2;

/// The directory of this run. Later attempts keep it, so that no other run can come in between.
#[derive(Clone)]
struct Held {
    directory: Arc<OutputDirectory>,
    /// The marker of the newest attempt that recovered.
    marker: Option<Marker>,
}

impl FileConnector {
    fn held(&self) -> Option<Held> {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.clone()
    }

    fn hold(&self, directory: &Arc<OutputDirectory>, marker: Option<Marker>) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let directory = Arc::clone(directory);
        *held = Some(Held { directory, marker });
    }

    /// Returns the directory and marker of the newest recovery, which the runtime calls first.
    fn recovered(&self) -> (Arc<OutputDirectory>, Marker) {
        let recovered = self
            .held()
            .and_then(|held| Some((held.directory, held.marker?)));
        recovered.expect("a sink recovers before it opens writers and commits")
    }

    /// Returns the directory, locked for this run.
    fn take_directory(&self) -> Result<Arc<OutputDirectory>, ConnectorError> {
        if let Some(held) = self.held() {
            match &held.marker {
                Some(marker) => held.directory.check_kept(marker)?,
                None => held.directory.check_in_place()?,
            }
            return Ok(held.directory);
        }
        let mut directory = OutputDirectory::open_or_create(&self.files, &self.path)?;
        directory.lock()?;
        let directory = Arc::new(directory);
        self.hold(&directory, None);
        Ok(directory)
    }
}

fn decode(pending: &[PendingOutput]) -> Result<Vec<PendingPart>, ConnectorError> {
    pending.iter().map(PendingPart::of_output).collect()
}

/// Returns the names of the parts, newest first: a reader that comes in while they are removed
/// finds an older state of the output.
fn newest_first(parts: &[PartName]) -> Vec<String> {
    let mut parts: Vec<&PartName> = parts.iter().collect();
    parts.sort();
    parts.into_iter().rev().map(PartName::to_string).collect()
}

impl SinkConnector for FileConnector {
    fn connector(&self) -> &'static str {
        "file"
    }

    fn is_exactly_once(&self) -> bool {
        true
    }

    fn check_free(&self) -> Result<(), ConnectorError> {
        OutputDirectory::check_free(&self.files, &self.path)
    }

    fn check_fresh(&self) -> Result<(), ConnectorError> {
        let Some(directory) = OutputDirectory::open(&self.files, &self.path)? else {
            return Ok(());
        };
        let checked = directory.list()?.check_fresh(directory.shown());
        if checked.is_err() && self.held().is_none() {
            // If another run has just begun to write here, report that instead.
            self.check_free()?;
        }
        checked
    }

    fn recover(&self, start: &SinkStart) -> Result<(), ConnectorError> {
        let pending = decode(&start.pending)?;
        let directory = self.take_directory()?;
        let listing = directory.list()?;
        let process = std::process::id();
        let found = listing.marker.clone();
        let mut plan = listing.plan_recovery(directory.shown(), start, process, pending)?;
        if plan.elsewhere > 0 {
            tracing::warn!(
                sink = start.sink,
                parts = plan.elsewhere,
                "output that the restored checkpoint lists as unpublished is in the output \
                 directory of the job that took the checkpoint; if that job never published the \
                 output, run that job again"
            );
        }
        let nothing_to_remove = plan.remove.is_empty() && plan.discard.is_empty();
        let nothing_to_do = directory.are_published(&plan.publish)? && nothing_to_remove;
        match found.filter(|found| found.is_of(&plan.marker)) {
            // The marker of a finished job stays if there is nothing to do: its output may be
            // read-only by now.
            Some(found) if start.has_finished && nothing_to_do => plan.marker = found,
            Some(_) | None => directory.write_marker(&plan.marker)?,
        }
        directory.discard(&newest_first(&plan.discard))?;
        directory.publish(&plan.publish)?;
        directory.remove(&plan.remove)?;
        self.hold(&directory, Some(plan.marker));
        Ok(())
    }

    fn newer_output(&self, start: &SinkStart) -> Result<Vec<NewerOutput>, ConnectorError> {
        let Some(directory) = OutputDirectory::open(&self.files, &self.path)? else {
            return Ok(Vec::new());
        };
        let start = SinkStart {
            discards_newer: true,
            ..start.clone()
        };
        let (shown, process) = (directory.shown(), std::process::id());
        let plan = directory.list()?;
        let plan = plan.plan_recovery(shown, &start, process, decode(&start.pending)?)?;
        plan.discard
            .iter()
            .map(|part| directory.size(part))
            .collect()
    }

    fn open(
        &self,
        subtask: &SubtaskId,
        lineage: Lineage,
        attempt: u64,
    ) -> Result<Box<dyn Sink>, ConnectorError> {
        Ok(Box::new(FileSink {
            directory: self.recovered().0,
            form: self.form.clone(),
            subtask: subtask.clone(),
            lineage,
            attempt,
            sequence: 0,
            part: None,
        }))
    }

    fn commit(
        &self,
        _checkpoint: CheckpointId,
        pending: &[PendingOutput],
    ) -> Result<(), ConnectorError> {
        let (directory, marker) = self.recovered();
        let mut parts = decode(pending)?;
        // As in recovery: output of a savepoint's job in another directory is not ours.
        parts.retain(|part| marker.knows(part.lineage));
        directory.check_owned(&marker)?;
        directory.publish(&parts)
    }

    fn discard(&self, lineage: Lineage) -> Result<(), ConnectorError> {
        let Some(mut directory) = OutputDirectory::open(&self.files, &self.path)? else {
            return Ok(());
        };
        // Released at the end, so that the start of the job finds the directory free.
        directory.lock()?;
        let listing = directory.list()?;
        directory.discard(&listing.parts_to_discard(directory.shown(), lineage)?)
    }

    fn directory(&self) -> Option<&Path> {
        Some(&self.path)
    }

    fn example_output(&self) -> Option<PathBuf> {
        let name = PartName {
            checkpoint: 1,
            subtask: 0,
            lineage: LineageDigits::of(Lineage([0; 16])),
            attempt: 1,
            extension: self.form.extension().to_owned(),
        };
        Some(self.path.join(name.to_string()))
    }

    fn open_files(&self, subtasks: u32) -> u64 {
        FILES_OF_A_DIRECTORY + FILES_OF_A_SUBTASK * u64::from(subtasks)
    }
}
