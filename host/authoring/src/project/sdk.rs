//! The SDK of a project: a folder that the user names, or a copy of the SDK of this version in the
//! project's own folder `sdk`.
//!
//! A project with a copy depends on no package that is published elsewhere, and holds no path of
//! the machine on which it was written. A stamp in the copy states its version, and the digests by
//! which [`update`] detects files that the author has changed.

mod embedded;
mod stamp;

use std::path::{Path, PathBuf};
use std::{fs, io};

use super::error::{NewProjectError, SdkError};
use crate::language::Language;

use stamp::Stamp;

/// The folder of a copy, in a project.
const FOLDER: &str = "sdk";

/// The version of the SDKs in this binary.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The source of a project's SDK.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sdk {
    /// A copy in the project.
    Copied,
    /// A folder, which the user names.
    Folder(PathBuf),
}

/// The result of [`update`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpdatedSdk {
    /// The version before.
    pub before: String,
    /// The version now, which is that of this binary.
    pub now: &'static str,
}

impl Sdk {
    /// Returns the SDK that the user names, or else a copy.
    pub(super) fn find(
        named: Option<&Path>,
        language: Language,
        directory: &Path,
    ) -> Result<Self, NewProjectError> {
        let Some(named) = named else {
            return Ok(Self::Copied);
        };
        let path = directory.join(named);
        let found = folder(&path, language);
        found.map(Self::Folder).ok_or(NewProjectError::NoSdk {
            path,
            package: language.kit().sdk.package,
            place: language.kit().sdk.place,
        })
    }

    /// Returns the dependency as a manifest in the language declares it.
    pub(super) fn dependency(&self, language: Language) -> String {
        let sdk = &language.kit().sdk;
        match self {
            Self::Copied => sdk.copied.to_owned(),
            Self::Folder(path) => (sdk.in_folder)(&path.to_string_lossy()),
        }
    }

    /// Writes the copy of a new project, if it has one.
    pub(super) fn write(&self, language: Language, project: &Path) -> Result<(), NewProjectError> {
        match self {
            Self::Copied => write(&embedded::files(language), &project.join(FOLDER)),
            Self::Folder(_) => Ok(()),
        }
    }
}

/// Replaces the copy in a project by the SDK of this version. Keeps the files that are not the
/// SDK's, such as packages that npm has put there.
///
/// # Errors
///
/// An [`SdkError`]: `project` is no project, has no copy, or the author has changed the copy and
/// `discard_changes` is false. The old copy is still there then. An error of the system may leave
/// files of both versions.
pub fn update(project: &Path, discard_changes: bool) -> Result<UpdatedSdk, SdkError> {
    let has_manifest = |language: Language| project.join(language.manifest()).is_file();
    if !Language::ALL.into_iter().any(has_manifest) {
        let path = project.to_owned();
        return Err(SdkError::NoProject { path });
    }
    let folder = project.join(FOLDER);
    let stamp = Stamp::read(&folder);
    let language = stamp.as_ref().and_then(Stamp::language);
    let (Some(stamp), Some(language)) = (stamp, language) else {
        return Err(SdkError::NoCopy { path: folder });
    };
    let files = embedded::files(language);
    let changed = || {
        stamp
            .changed(&folder)
            .or_else(|| stamp.in_the_way(&folder, &files))
    };
    if let (false, Some(path)) = (discard_changes, changed()) {
        return Err(SdkError::Changed { path });
    }
    for (path, _) in &stamp.files {
        let path = folder.join(path);
        match fs::remove_file(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                return Err(SdkError::Remove { path, source });
            }
            Ok(()) | Err(_) => {}
        }
    }
    write(&files, &folder)?;
    Ok(UpdatedSdk {
        before: stamp.version,
        now: VERSION,
    })
}

/// Writes a copy, and its stamp as the last file.
fn write(files: &[embedded::File], folder: &Path) -> Result<(), NewProjectError> {
    for (path, text) in files {
        super::write_file(&folder.join(path), text)?;
    }
    let stamp = Stamp::of(VERSION, files).to_string();
    super::write_file(&folder.join(stamp::FILE), &stamp)
}

/// Returns the folder, if it has the SDK.
fn folder(path: &Path, language: Language) -> Option<PathBuf> {
    let manifest = fs::read_to_string(path.join(language.manifest())).ok()?;
    let is_sdk = manifest.contains(language.kit().sdk.mark);
    is_sdk.then(|| fs::canonicalize(path).ok()).flatten()
}
