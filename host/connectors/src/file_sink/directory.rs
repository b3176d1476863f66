//! The directory of a file sink, reached only through one handle. Each operation states what it
//! makes durable; after a failed sync, nothing is synced again.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tidegate_connector::ConnectorError;
use tidegate_connector::sink::NewerOutput;
use tidegate_file_system::{
    DirectoryEntry, DirectoryHandle, FileHandle, FileLock, FileSystem, OpenAs, open_or_create,
};
use tidegate_operator::shown;

use super::marker::{MARKER_NAME, Marker, NEW_MARKER_NAME};
use super::names::{PartName, PendingName};
use super::part::PendingPart;
use super::recovery::Listing;

/// An open directory of output.
pub(super) struct OutputDirectory {
    /// The path, for people.
    pub(super) shown: String,
    pub(super) files: Arc<dyn FileSystem>,
    pub(super) path: PathBuf,
    pub(super) dir: Box<dyn DirectoryHandle>,
    /// `Some` once this run has locked the directory.
    pub(super) lock: Option<Box<dyn FileLock>>,
}

/// The action that publishes a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Publication {
    Rename,
    Done,
}

/// The limit of a marker's size; a file sink never reads a larger one.
const MOST_MARKER_BYTES: u64 = 1 << 20;

impl OutputDirectory {
    /// Opens the directory if it exists.
    pub(super) fn open(
        files: &Arc<dyn FileSystem>,
        path: &Path,
    ) -> Result<Option<Self>, ConnectorError> {
        match files.open_directory(path) {
            Ok(dir) => Ok(Some(Self::of(files, path, dir))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => {
                let action = format!("could not open output directory {}", shown(path));
                Err(ConnectorError::io(action)(error))
            }
        }
    }

    /// Opens the directory, creates it if it does not exist, and makes its name durable.
    pub(super) fn open_or_create(
        files: &Arc<dyn FileSystem>,
        path: &Path,
    ) -> Result<Self, ConnectorError> {
        let created = open_or_create(&**files, path);
        let action = format!("could not create output directory {}", shown(path));
        let dir = created.map_err(ConnectorError::io(action))?;
        Ok(Self::of(files, path, dir))
    }

    fn of(files: &Arc<dyn FileSystem>, path: &Path, dir: Box<dyn DirectoryHandle>) -> Self {
        Self {
            shown: shown(path).to_string(),
            files: Arc::clone(files),
            path: path.to_owned(),
            dir,
            lock: None,
        }
    }

    pub(super) fn shown(&self) -> &str {
        &self.shown
    }

    pub(super) fn failed(
        &self,
        action: &str,
        name: &str,
    ) -> impl FnOnce(io::Error) -> ConnectorError + use<> {
        ConnectorError::io(format!("could not {action} {}/{name}", self.shown))
    }

    /// Lists the directory, sorted by kind.
    pub(super) fn list(&self) -> Result<Listing, ConnectorError> {
        let mut listing = Listing {
            marker: self.read_marker()?,
            ..Listing::default()
        };
        for entry in self.dir.entries().map_err(self.failed("list", ""))? {
            let DirectoryEntry { name, is_file } = entry;
            if let Some(part) = PartName::parse(&name).filter(|_| is_file) {
                listing.parts.push(part);
            } else if let Some(pending) = PendingName::parse(&name).filter(|_| is_file) {
                listing.pending.push(pending);
            } else if !name.starts_with(['.', '_']) {
                listing.foreign.push(name);
            }
        }
        listing.parts.sort_unstable();
        listing.foreign.sort_unstable();
        Ok(listing)
    }

    pub(super) fn read_marker(&self) -> Result<Option<Marker>, ConnectorError> {
        let refuse = |why: &str| ConnectorError::StateRefused {
            reason: format!(
                "{}/{MARKER_NAME} does not name the owner of this output directory: {why}. Set \
                 `directory` to another directory",
                self.shown
            ),
        };
        let status = match self.dir.status(MARKER_NAME) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            status => status.map_err(self.failed("read", MARKER_NAME))?,
        };
        if !status.is_file || status.length > MOST_MARKER_BYTES {
            return Err(refuse("it is not a small regular file"));
        }
        let mut json = Vec::new();
        let read = self.dir.open_file(MARKER_NAME, OpenAs::Read);
        read.and_then(|mut file| file.read_to_end(&mut json))
            .map_err(self.failed("read", MARKER_NAME))?;
        Marker::of_json(&json).map(Some).map_err(|why| refuse(&why))
    }

    /// Replaces the marker, durably.
    pub(super) fn write_marker(&self, marker: &Marker) -> Result<(), ConnectorError> {
        let failed = || self.failed("write", MARKER_NAME);
        // Left by a crash in the middle of this; its contents never counted. Unless its removal is
        // durable, a power failure could give the marker's name to its contents, which were never
        // synced.
        match self.dir.remove_file(NEW_MARKER_NAME) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            removed => {
                removed.map_err(failed())?;
                self.sync()?;
            }
        }
        let mut file = self.create_new(NEW_MARKER_NAME)?;
        file.write_all(&marker.to_json()).map_err(failed())?;
        file.sync().map_err(failed())?;
        self.dir
            .rename(NEW_MARKER_NAME, MARKER_NAME)
            .map_err(failed())?;
        self.sync()
    }

    /// Creates a file. Fails if the name exists, even as a link.
    pub(super) fn create_new(&self, name: &str) -> Result<Box<dyn FileHandle>, ConnectorError> {
        self.dir
            .open_file(name, OpenAs::New)
            .map_err(self.failed("create", name))
    }

    pub(super) fn write(
        &self,
        file: &mut dyn FileHandle,
        name: &str,
        bytes: &[u8],
    ) -> Result<(), ConnectorError> {
        file.write_all(bytes).map_err(self.failed("write to", name))
    }

    /// Makes a finished file and its name durable.
    pub(super) fn sync_file(
        &self,
        file: &dyn FileHandle,
        name: &str,
    ) -> Result<(), ConnectorError> {
        file.sync().map_err(self.failed("sync", name))?;
        self.sync()
    }

    fn sync(&self) -> Result<(), ConnectorError> {
        self.dir
            .sync()
            .map_err(self.failed("sync the directory", ""))
    }

    /// Renames the parts that do not have their final names yet, durably. Changes nothing if a part
    /// is missing or damaged.
    pub(super) fn publish(&self, parts: &[PendingPart]) -> Result<(), ConnectorError> {
        if parts.is_empty() {
            return Ok(());
        }
        let states: Result<Vec<_>, _> = parts.iter().map(|part| self.publication(part)).collect();
        for (part, publication) in parts.iter().zip(states?) {
            match publication {
                Publication::Rename => {
                    let renamed = self.dir.rename(&part.pending_name, &part.part_name);
                    renamed.map_err(self.failed("publish", &part.part_name))?;
                }
                Publication::Done => {}
            }
        }
        // Sync even if nothing was renamed now: last time, a crash may have come before the sync.
        self.sync()
    }

    /// Checks, without changing anything, that [`Self::publish`] would find every part. Returns
    /// true if all have their final names.
    pub(super) fn are_published(&self, parts: &[PendingPart]) -> Result<bool, ConnectorError> {
        let states: Result<Vec<_>, _> = parts.iter().map(|part| self.publication(part)).collect();
        let is_done = |state: &Publication| *state == Publication::Done;
        Ok(states?.iter().all(is_done))
    }

    fn publication(&self, part: &PendingPart) -> Result<Publication, ConnectorError> {
        let refuse = |name: &str, why: String| ConnectorError::StateRefused {
            reason: format!(
                "output {}/{name} of checkpoint {} {why}. Restore the file, or start the job \
                 afresh with another `directory`",
                self.shown, part.checkpoint
            ),
        };
        let check = |name: &str, found: Found, publication| match found {
            Found::File(length) if length == part.length => Ok(publication),
            Found::File(length) => Err(refuse(
                name,
                format!("has {length} bytes instead of {}", part.length),
            )),
            Found::Nothing => Err(refuse(
                name,
                "is missing under both its final and its pending name".to_owned(),
            )),
            Found::NoFile => Err(refuse(name, "is not a regular file".to_owned())),
        };
        match (self.find(&part.pending_name)?, self.find(&part.part_name)?) {
            (Found::Nothing, published) => check(&part.part_name, published, Publication::Done),
            (pending, Found::Nothing) => check(&part.pending_name, pending, Publication::Rename),
            (_, _) => Err(refuse(
                &part.part_name,
                "exists although it was not published yet".to_owned(),
            )),
        }
    }

    fn find(&self, name: &str) -> Result<Found, ConnectorError> {
        match self.dir.status(name) {
            Ok(status) if status.is_file => Ok(Found::File(status.length)),
            Ok(_) => Ok(Found::NoFile),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Found::Nothing),
            Err(error) => Err(self.failed("read", name)(error)),
        }
    }

    /// Removes output in this order, durably.
    pub(super) fn discard(&self, names: &[String]) -> Result<(), ConnectorError> {
        if names.is_empty() {
            return Ok(());
        }
        for name in names {
            self.dir
                .remove_file(name)
                .map_err(self.failed("remove", name))?;
        }
        self.sync()
    }

    /// Returns the place and size of a published part.
    pub(super) fn size(&self, part: &PartName) -> Result<NewerOutput, ConnectorError> {
        let name = part.to_string();
        let status = self.dir.status(&name).map_err(self.failed("read", &name))?;
        Ok(NewerOutput {
            place: format!("{}/{name}", self.shown),
            bytes: status.length,
        })
    }

    /// Removes parts that no checkpoint lists.
    pub(super) fn remove(&self, leftovers: &[PendingName]) -> Result<(), ConnectorError> {
        for leftover in leftovers {
            let name = leftover.to_string();
            self.dir
                .remove_file(&name)
                .map_err(self.failed("remove", &name))?;
        }
        Ok(())
    }
}

/// The entry with a name. A link is not a file.
enum Found {
    Nothing,
    /// A regular file of this length.
    File(u64),
    NoFile,
}
