//! The places of compiled components and of the key to them, for this user alone.

use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use crate::foreign_text::shown;

use cap_std::ambient_authority;
use cap_std::fs::{Dir, DirBuilder, DirBuilderExt as _, File, Metadata, MetadataExt as _};
use cap_std::fs::{OpenOptions, OpenOptionsExt as _};
use thiserror::Error;

/// The permission bits of everyone but the owner.
const OTHERS: u32 = 0o077;

/// The cache of compiled components can't be used.
#[derive(Debug, Error)]
pub enum CodeCacheError {
    /// A file or directory can't be opened or created.
    #[error("{} can't be used: {source}", shown(path))]
    Unusable {
        /// The path of the file or directory.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// Another user could have changed the directory or file.
    #[error(
        "{} must belong to the user that runs tidegate, and be closed to all other users",
        shown(path)
    )]
    NotPrivate {
        /// The directory or file.
        path: PathBuf,
    },
    /// The key file does not contain a key.
    #[error("{} has {bytes} bytes; a key has 32", shown(path))]
    NoKey {
        /// The file.
        path: PathBuf,
        /// Its length in bytes.
        bytes: usize,
    },
}

/// Opens a directory; creates it if it does not exist.
pub(super) fn private_directory(path: &Path) -> Result<Dir, CodeCacheError> {
    let unusable = |source| CodeCacheError::Unusable {
        path: path.to_owned(),
        source,
    };
    let mut builder = DirBuilder::new();
    builder.recursive(true).mode(0o700);
    let made = Dir::create_ambient_dir_all(parent(path), ambient_authority())
        .and_then(|()| Dir::open_ambient_dir(parent(path), ambient_authority()))
        .and_then(|above| {
            let name = name(path)?;
            above.create_dir_with(name, &builder)?;
            above.open_dir(name)
        });
    let directory = made.map_err(unusable)?;
    check_private(path, &directory.dir_metadata().map_err(unusable)?)?;
    Ok(directory)
}

/// Reads the key; creates it if it does not exist.
pub(super) fn private_key(path: &Path) -> Result<[u8; blake3::KEY_LEN], CodeCacheError> {
    let unusable = |source| CodeCacheError::Unusable {
        path: path.to_owned(),
        source,
    };
    let directory = private_directory(parent(path))?;
    let name = name(path).map_err(unusable)?;
    let mut file = match directory.open(name) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            make_key(&directory, name).map_err(unusable)?
        }
        Err(error) => return Err(unusable(error)),
    };
    check_private(path, &file.metadata().map_err(unusable)?)?;
    let mut key = Vec::new();
    let limit = blake3::KEY_LEN as u64 + 1;
    (&mut file)
        .take(limit)
        .read_to_end(&mut key)
        .map_err(unusable)?;
    <[u8; blake3::KEY_LEN]>::try_from(key.as_slice()).map_err(|_| CodeCacheError::NoKey {
        path: path.to_owned(),
        bytes: key.len(),
    })
}

/// Creates the key under another name first: if several processes start at once, all use the key
/// that was linked first.
fn make_key(directory: &Dir, name: &Path) -> io::Result<File> {
    let mut random = [0; blake3::KEY_LEN + 8];
    getrandom::fill(&mut random).map_err(io::Error::from)?;
    let (key, unique) = random.split_at(blake3::KEY_LEN);
    let temporary = format!("new-{}", blake3::hash(unique).to_hex());
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    let mut file = directory.open_with(&temporary, &options)?;
    let linked = file
        .write_all(key)
        .and_then(|()| file.sync_all())
        .and_then(
            |()| match directory.hard_link(&temporary, directory, name) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
                Ok(()) | Err(_) => Ok(()),
            },
        );
    directory.remove_file(&temporary)?;
    linked?;
    directory.open(name)
}

fn check_private(path: &Path, metadata: &Metadata) -> Result<(), CodeCacheError> {
    let is_ours = metadata.uid() == rustix::process::geteuid().as_raw();
    if is_ours && metadata.mode() & OTHERS == 0 {
        return Ok(());
    }
    Err(CodeCacheError::NotPrivate {
        path: path.to_owned(),
    })
}

fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        Some(_) | None => Path::new("."),
    }
}

fn name(path: &Path) -> io::Result<&Path> {
    let name = path.file_name().map(Path::new);
    name.ok_or_else(|| io::Error::other("it has no name"))
}
