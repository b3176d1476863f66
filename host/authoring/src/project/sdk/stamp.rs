//! The file in a copy of an SDK that states its version, and the digest of each of its files.

use std::fmt::{self, Display};
use std::fs;
use std::path::{Component, Path, PathBuf};

use crate::language::Language;

/// The file's name.
pub(super) const FILE: &str = "TIDEGATE_SDK";

/// The beginning of the first line; the version follows.
const HEADING: &str = "tidegate-sdk ";

const EXPLANATION: &str = "\
# This folder is a copy of Tidegate's SDK; commit it with the project. `tidegate sdk update` of
# another version replaces it. Below: BLAKE3 and path of each file.
";

/// The contents of the file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    pub(super) version: String,
    /// The path of each file, below the folder of the copy, and its digest.
    pub(super) files: Vec<(PathBuf, String)>,
}

impl Stamp {
    pub(super) fn of(version: &str, files: &[(&str, impl AsRef<str>)]) -> Self {
        let digested = files.iter().map(|(path, text)| {
            let digest = blake3::hash(text.as_ref().as_bytes()).to_hex();
            (PathBuf::from(path), digest.to_string())
        });
        Self {
            version: version.to_owned(),
            files: digested.collect(),
        }
    }

    /// Reads the stamp of a copy; `None` if the folder is none.
    pub(super) fn read(folder: &Path) -> Option<Self> {
        Self::parse(&fs::read_to_string(folder.join(FILE)).ok()?)
    }

    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let version = lines.next()?.strip_prefix(HEADING)?.to_owned();
        let files = lines.filter(|line| !line.starts_with('#')).map(|line| {
            let (digest, path) = line.split_once("  ")?;
            let path = PathBuf::from(path);
            // A path that leads out of the folder is not the work of `tidegate new`.
            let is_below = path
                .components()
                .all(|part| matches!(part, Component::Normal(_)));
            is_below.then(|| (path, digest.to_owned()))
        });
        let files = files.collect::<Option<_>>()?;
        Some(Self { version, files })
    }

    /// Returns the language of the SDK: its manifest is among the files.
    pub(super) fn language(&self) -> Option<Language> {
        let has = |language: &Language| self.has(language.manifest());
        Language::ALL.into_iter().find(has)
    }

    fn has(&self, path: &str) -> bool {
        self.files
            .iter()
            .any(|(of_sdk, _)| of_sdk == Path::new(path))
    }

    /// Returns the first of `files` that exists, is not of the SDK, and has other contents.
    pub(super) fn in_the_way(
        &self,
        folder: &Path,
        files: &[(&str, impl AsRef<str>)],
    ) -> Option<PathBuf> {
        let added = files.iter().filter(|(path, _)| !self.has(path));
        let paths = added.map(|(path, text)| (folder.join(path), text));
        let mut other = paths.filter(|(path, text)| {
            fs::read(path).is_ok_and(|bytes| bytes != text.as_ref().as_bytes())
        });
        other.next().map(|(path, _)| path)
    }

    /// Returns the first file that is missing or has other contents.
    pub(super) fn changed(&self, folder: &Path) -> Option<PathBuf> {
        let paths = self
            .files
            .iter()
            .map(|(path, digest)| (folder.join(path), digest));
        let mut changed = paths.filter(|(path, digest)| {
            fs::read(path).map_or(true, |bytes| *blake3::hash(&bytes).to_hex() != **digest)
        });
        changed.next().map(|(path, _)| path)
    }
}

impl Display for Stamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{HEADING}{}\n{EXPLANATION}", self.version)?;
        for (path, digest) in &self.files {
            writeln!(formatter, "{digest}  {}", path.to_string_lossy())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_read_as_it_was_written() {
        let stamp = Stamp::of("1.2.3", &[("src/a.rs", "a"), ("b", "")]);
        assert_eq!(Stamp::parse(&stamp.to_string()), Some(stamp));
    }

    #[test]
    fn other_files_and_paths_that_lead_out_are_no_stamp() {
        for text in [
            "",
            "tidegate-sdk",
            "sdk 1\n",
            "tidegate-sdk 1\nab\n",
            "tidegate-sdk 1\nab  ../../important\n",
            "tidegate-sdk 1\nab  /important\n",
            "tidegate-sdk 1\nab  src/../../important\n",
        ] {
            assert_eq!(Stamp::parse(text), None, "{text}");
        }
    }
}
