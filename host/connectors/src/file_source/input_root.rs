//! Access to the files of a glob, below one directory handle: the root.
//!
//! A link is followed as long as it stays below the root. A link out of the root is rejected by
//! name, unless the job file has `follow-links = true`: it is then opened by its path, with the
//! user's own rights, since no handle reaches it.

use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use cap_std::ambient_authority;
use cap_std::fs::{Dir, MetadataExt as _};
use tidegate_connector::ConnectorError;
use tidegate_operator::shown;

/// The directory before the first wildcard of a glob.
pub(super) struct InputRoot {
    pub(super) dir: Dir,
    path: PathBuf,
    pub(super) follow_links: bool,
}

/// The status of a name or of an open file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) is_file: bool,
    pub(super) is_directory: bool,
    pub(super) length: u64,
    /// The time of the last write; `None` where the system does not report it.
    pub(super) modified: Option<SystemTime>,
    /// The time of the last change, in seconds and nanoseconds by the clock of the file system.
    /// Every write moves it, and no one can set it.
    pub(super) changed: (i64, i64),
    /// Device and inode.
    pub(super) identity: (u64, u64),
}

impl Found {
    /// Returns the status of an open file.
    pub(super) fn of(file: &File) -> io::Result<Self> {
        Ok(Self::of_metadata(&file.metadata()?))
    }

    fn of_metadata(metadata: &std::fs::Metadata) -> Self {
        Self {
            is_file: metadata.is_file(),
            is_directory: metadata.is_dir(),
            length: metadata.len(),
            modified: metadata.modified().ok(),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
            identity: (metadata.dev(), metadata.ino()),
        }
    }

    fn below(metadata: &cap_std::fs::Metadata) -> Self {
        let modified = metadata.modified().ok();
        Self {
            is_file: metadata.is_file(),
            is_directory: metadata.is_dir(),
            length: metadata.len(),
            modified: modified.map(cap_std::time::SystemTime::into_std),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
            identity: (metadata.dev(), metadata.ino()),
        }
    }
}

impl InputRoot {
    /// Opens the root at `path`.
    pub(super) fn open(path: PathBuf, follow_links: bool) -> io::Result<Self> {
        let dir = Dir::open_ambient_dir(&path, ambient_authority())?;
        Ok(Self {
            dir,
            path,
            follow_links,
        })
    }

    /// Returns the status of a path below the root. Follows links.
    pub(super) fn find(&self, relative: &str) -> io::Result<Found> {
        match self.dir.metadata(relative) {
            Err(error) if self.follow_links && leads_out(&error) => {
                let metadata = std::fs::metadata(self.path.join(relative))?;
                Ok(Found::of_metadata(&metadata))
            }
            found => Ok(Found::below(&found?)),
        }
    }

    /// Opens a file below the root. Follows links.
    pub(super) fn open_file(&self, relative: &str) -> io::Result<File> {
        let opened = match self.dir.open(relative) {
            Err(error) if self.follow_links && leads_out(&error) => {
                let path = self.path.join(relative);
                cap_std::fs::File::open_ambient(path, ambient_authority())
            }
            opened => opened,
        };
        Ok(opened?.into_std())
    }

    /// Lists the files of a directory below the root, at most `most`, in order, with the status of
    /// each. Follows no link in it.
    pub(super) fn list(&self, relative: &str, most: usize) -> io::Result<Vec<(String, Found)>> {
        let directory = match relative {
            "" => self.dir.try_clone()?,
            relative => self.open_directory(relative)?,
        };
        let mut files = Vec::new();
        for entry in directory.entries()? {
            let entry = entry?;
            let name = entry.file_name().into_string();
            // An entry that vanishes meanwhile is none.
            if let (Ok(name), Ok(metadata)) = (name, entry.metadata())
                && metadata.is_file()
            {
                files.push((name, Found::below(&metadata)));
            }
            if files.len() >= most {
                break;
            }
        }
        files.sort_by(|(a, _), (b, _)| a.cmp(b));
        Ok(files)
    }

    /// Opens a directory below the root. Follows links.
    pub(super) fn open_directory(&self, relative: &str) -> io::Result<Dir> {
        match self.dir.open_dir(relative) {
            Err(error) if self.follow_links && leads_out(&error) => {
                Dir::open_ambient_dir(self.path.join(relative), ambient_authority())
            }
            opened => opened,
        }
    }

    /// Makes the error for `relative`, known to people by `name`, when it could not be reached.
    pub(super) fn unreachable(
        &self,
        relative: &str,
        name: &str,
        error: io::Error,
    ) -> ConnectorError {
        if !leads_out(&error) {
            return ConnectorError::Io {
                action: format!("could not open input file {name}"),
                source: error,
            };
        }
        let (link, target) = self.link_out(Path::new(relative));
        let which = if link == relative {
            "which".to_owned()
        } else {
            format!("whose directory {link}")
        };
        ConnectorError::JobRefused {
            reason: format!(
                "`path` matches {name}, {which} is a link to {} and leads out of {}. Set \
                 `follow-links = true` to follow links",
                shown(&target),
                shown(&self.path)
            ),
        }
    }

    /// Returns the first link on a path that leads out of the root, and its target.
    fn link_out(&self, relative: &Path) -> (String, PathBuf) {
        let mut prefix = PathBuf::new();
        for component in relative.components() {
            prefix.push(component);
            if self.dir.metadata(&prefix).is_err_and(|e| leads_out(&e)) {
                break;
            }
        }
        let target = self.dir.read_link_contents(&prefix);
        let target = target.unwrap_or_else(|_| PathBuf::from("somewhere else"));
        (prefix.to_string_lossy().into_owned(), target)
    }
}

/// Returns true if a handle refused to follow a link out of its directory. Only errors of the
/// system have a number, and this is not one.
pub(super) fn leads_out(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::PermissionDenied && error.raw_os_error().is_none()
}
