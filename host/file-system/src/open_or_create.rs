//! Opening a directory, or creating it durably.

use std::io;
use std::path::Path;

use crate::{DirectoryHandle, FileSystem};

/// Opens the directory at `path`, which is created if missing. Its name is durable on return, even
/// if an earlier run created it and was killed before the sync.
///
/// # Errors
///
/// The error of the system.
pub fn open_or_create(files: &dyn FileSystem, path: &Path) -> io::Result<Box<dyn DirectoryHandle>> {
    let parent = path
        .parent()
        .map(|parent| match parent.as_os_str().is_empty() {
            true => Path::new("."),
            false => parent,
        });
    match files.open_directory(path) {
        Ok(directory) => {
            match parent.map(|parent| files.open_directory(parent)) {
                Some(Ok(parent)) => parent.sync()?,
                // A process that may not read the parent has not created anything in it.
                Some(Err(error)) if error.kind() == io::ErrorKind::PermissionDenied => {}
                Some(Err(error)) => return Err(error),
                None => {}
            }
            Ok(directory)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let (Some(parent), Some(name)) = (parent, path.file_name()) else {
                return Err(error);
            };
            let parent = open_or_create(files, parent)?;
            match parent.create_directory(Path::new(name)) {
                // Another sink may have created it at the same moment.
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                Ok(()) | Err(_) => parent.sync()?,
            }
            parent.open_directory(Path::new(name))
        }
        Err(error) => Err(error),
    }
}
