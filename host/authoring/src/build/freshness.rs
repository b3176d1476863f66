//! The comparison of a component with the sources beside it.
//!
//! `build` puts each component beside the manifest of its project by default, so a component's
//! project is the one in its folder. A component elsewhere has no project that we know of.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use tidegate_operator::Limits;

use super::sources::ProjectSources;
use super::{folder_of, place, stamp};
use crate::language::Language;

/// The project that builds a component.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ComponentProject {
    /// Its manifest, as an absolute path.
    pub manifest: PathBuf,
    /// The language that it is written in.
    pub language: Language,
}

/// The relation of a component to the sources of its project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// It was built from these sources.
    Fresh,
    /// It was built from others.
    Stale {
        /// The source that was modified last.
        newest: PathBuf,
    },
    /// The component is missing, has no stamp, or its sources can't be read.
    Unknown,
}

impl ComponentProject {
    /// Returns the project in the folder of a component, which need not exist yet.
    #[must_use]
    pub fn of(component: &Path) -> Option<Self> {
        let place = place::in_folder(folder_of(component))?;
        Some(Self {
            manifest: place.manifest,
            language: place.language,
        })
    }

    /// Returns the project's folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        folder_of(&self.manifest)
    }

    /// Reads the project's sources; see [`ProjectSources::of`].
    #[must_use]
    pub fn sources(&self) -> Option<ProjectSources> {
        ProjectSources::of(self.folder(), self.language)
    }

    /// Compares a component with the project's sources. A component that is newer by its time of
    /// modification can be stale, and an older one fresh, as after a `git clone`: the contents
    /// decide.
    #[must_use]
    pub fn freshness(&self, component: &Path) -> Freshness {
        let built_from = last_bytes(component)
            .ok()
            .and_then(|bytes| stamp::digest(&bytes));
        match (built_from, self.sources()) {
            (Some(digest), Some(sources)) if digest == sources.digest => Freshness::Fresh,
            (Some(_), Some(sources)) => Freshness::Stale {
                newest: sources.newest,
            },
            (None, _) | (_, None) => Freshness::Unknown,
        }
    }
}

/// Returns the digest of a component without its stamp: the same for two builds of sources whose
/// difference does not reach the code.
///
/// # Errors
///
/// The error of the system, or one for a file that is too large for a component.
pub fn code_digest(component: &Path) -> io::Result<[u8; 32]> {
    let mut bytes = Vec::new();
    let file = File::open(component)?;
    file.take(Limits::COMPONENT_BYTES + 1)
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > Limits::COMPONENT_BYTES {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    Ok(blake3::hash(stamp::unstamped(&bytes)).into())
}

/// Reads the bytes of a file that can be a stamp.
fn last_bytes(component: &Path) -> io::Result<Vec<u8>> {
    let mut file = File::open(component)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(
        length.saturating_sub(stamp::STAMP_BYTES as u64),
    ))?;
    let mut bytes = Vec::new();
    file.take(stamp::STAMP_BYTES as u64)
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_component_is_stale_when_the_contents_of_its_sources_are_others() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let source = folder.path().join("lib.rs");
        let component = folder.path().join("count.wasm");
        let write = |path: &Path, bytes: &[u8]| fs::write(path, bytes).expect("can be written");
        write(&folder.path().join("Cargo.toml"), b"[package]");
        write(&source, b"one");
        let project = ComponentProject::of(&component).expect("it is beside the component");
        assert_eq!(project.language, Language::Rust);
        assert_eq!(project.freshness(&component), Freshness::Unknown);
        write(&component, b"of other tools");
        assert_eq!(project.freshness(&component), Freshness::Unknown);
        let digest = project.sources().expect("there are sources").digest;
        write(&component, &stamp::stamped(b"code".to_vec(), &digest));
        write(&source, b"one");
        let is_newer = "the source is newer, and the same";
        assert_eq!(
            project.freshness(&component),
            Freshness::Fresh,
            "{is_newer}"
        );
        write(&source, b"two");
        let stale = Freshness::Stale {
            newest: project.folder().join("lib.rs"),
        };
        assert_eq!(project.freshness(&component), stale);
        let code = code_digest(&component).expect("it is there");
        assert_eq!(code, *blake3::hash(b"code").as_bytes());
    }

    #[test]
    fn a_component_in_a_subfolder_of_a_cmake_project_belongs_to_that_project() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let root = fs::canonicalize(folder.path()).expect("it is there");
        fs::create_dir(root.join("count")).expect("it can be made");
        let component = root.join("count/count.wasm");
        assert_eq!(ComponentProject::of(&component), None);
        let write = |file: &str, text: &str| fs::write(root.join(file), text).expect("written");
        write("count/CMakeLists.txt", "tidegate_operator(count count.c)\n");
        assert_eq!(
            ComponentProject::of(&component),
            None,
            "no project is above"
        );
        write(
            "CMakeLists.txt",
            "project(all C)\nadd_subdirectory(count)\n",
        );
        let project = ComponentProject::of(&component).expect("it is above");
        assert_eq!(project.manifest, root.join("CMakeLists.txt"));
    }
}
