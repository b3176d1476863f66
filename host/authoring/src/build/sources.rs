//! The sources of a project: their files, their folders, and one digest of all.
//!
//! A source is a file with a name or extension of the project's language, wherever it lies below
//! the project, except in hidden folders, in the output of tools, and in the folders of tests at
//! the top. JSON counts beside code only, since a job's input may be JSON, too. Lock files are no
//! sources, because a build writes them. The digest depends on the
//! relative paths and the contents only, so it is the same on every machine.
//!
//! Invariant: the walk visits a bounded number of entries, reads a bounded number of bytes, and
//! follows no link. A project beyond the bounds has no digest.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::place::is_of_tools;
use crate::language::Language;

/// The depth of folders below a project.
const DEPTH: usize = 16;
/// The most entries of all folders.
const MOST_ENTRIES: usize = 50_000;
/// The most bytes of all sources.
const MOST_BYTES: u64 = 64 << 20;

/// Folders of tests at the top of a project, which no component contains.
const TESTS: [&str; 2] = ["tests", "test"];

/// The length of a digest in bytes.
pub(super) const DIGEST_BYTES: usize = blake3::OUT_LEN;

/// The sources of a project at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProjectSources {
    /// BLAKE3 of all paths and contents.
    pub digest: [u8; DIGEST_BYTES],
    /// The file that was modified last.
    pub newest: PathBuf,
    /// The project's folder, and each folder below it that may hold sources.
    pub folders: Vec<PathBuf>,
}

impl ProjectSources {
    /// Reads the sources below a project's folder. Returns `None` if there are none, if they can't
    /// be read, or if they are too many or too large.
    #[must_use]
    pub fn of(folder: &Path, language: Language) -> Option<Self> {
        let mut walk = Walk::new(language);
        walk.look_into(folder, DEPTH).ok()?;
        let Walk {
            mut files, folders, ..
        } = walk;
        files.sort();
        let newest = files.iter().max_by_key(|file| file.modified)?.path.clone();
        let mut digest = blake3::Hasher::new();
        let mut left = MOST_BYTES;
        for file in &files {
            let content = file.content(&mut left).ok()?;
            let path = file.path.strip_prefix(folder).unwrap_or(&file.path);
            let path = path.as_os_str().as_encoded_bytes();
            for part in [path, &content] {
                digest.update(&(part.len() as u64).to_le_bytes());
                digest.update(part);
            }
        }
        Some(Self {
            digest: digest.finalize().into(),
            newest,
            folders,
        })
    }

    /// Returns true if a file of this name may be a source of the language.
    #[must_use]
    pub fn is_source(path: &Path, language: Language) -> bool {
        kind(path, language).is_some()
    }
}

/// The ways in which a file is a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Manifest,
    Code,
    /// A source if there is code in its folder.
    Data,
}

fn kind(path: &Path, language: Language) -> Option<Kind> {
    let (names, extensions) = rules(language);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let extension = path.extension().unwrap_or_default().to_string_lossy();
    if name.starts_with('.') || LOCK_FILES.contains(&&*name) {
        None
    } else if names.contains(&&*name) {
        Some(Kind::Manifest)
    } else if extensions.contains(&&*extension) {
        Some(Kind::Code)
    } else {
        (extension == "json").then_some(Kind::Data)
    }
}

/// Files with the extension of a source that tools write.
const LOCK_FILES: [&str; 2] = ["package-lock.json", "npm-shrinkwrap.json"];

/// Returns the names and the extensions of the sources of a language.
fn rules(language: Language) -> (&'static [&'static str], &'static [&'static str]) {
    match language {
        Language::Rust => (
            &["Cargo.toml", "rust-toolchain.toml"],
            &["rs", "wit", "wat"],
        ),
        Language::C | Language::Cpp => (
            &["CMakeLists.txt"],
            &[
                "c", "cc", "cpp", "cxx", "h", "hh", "hpp", "hxx", "inc", "cmake",
            ],
        ),
        Language::Python => (&["pyproject.toml"], &["py"]),
        Language::Go => (&["go.mod"], &["go"]),
        Language::JavaScript | Language::TypeScript => (
            &["package.json", "tsconfig.json"],
            &["js", "mjs", "cjs", "jsx", "ts", "mts", "cts", "tsx"],
        ),
    }
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct SourceFile {
    path: PathBuf,
    modified: SystemTime,
}

impl SourceFile {
    /// Reads the file, which may have at most `left` bytes, and reduces `left`.
    fn content(&self, left: &mut u64) -> io::Result<Vec<u8>> {
        let mut content = Vec::new();
        let file = fs::File::open(&self.path)?;
        file.take(*left + 1).read_to_end(&mut content)?;
        let remaining = left.checked_sub(content.len() as u64);
        *left = remaining.ok_or(io::ErrorKind::FileTooLarge)?;
        Ok(content)
    }
}

struct Walk {
    language: Language,
    entries: usize,
    files: Vec<SourceFile>,
    folders: Vec<PathBuf>,
}

impl Walk {
    fn new(language: Language) -> Self {
        Self {
            language,
            entries: 0,
            files: Vec::new(),
            folders: Vec::new(),
        }
    }

    fn look_into(&mut self, folder: &Path, depth: usize) -> io::Result<()> {
        let is_top = self.folders.is_empty();
        self.folders.push(folder.to_owned());
        let (mut has_code, mut data) = (false, Vec::new());
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            self.entries += 1;
            if self.entries > MOST_ENTRIES {
                return Err(io::ErrorKind::FileTooLarge.into());
            }
            let (file_type, path) = (entry.file_type()?, entry.path());
            if file_type.is_dir() {
                let name = entry.file_name();
                let name = name.to_string_lossy();
                let is_passed_over = is_of_tools(&name) || is_top && TESTS.contains(&&*name);
                if depth > 0 && !is_passed_over {
                    self.look_into(&path, depth - 1)?;
                }
            } else if file_type.is_file()
                && let Some(kind) = kind(&path, self.language)
            {
                let modified = entry.metadata()?.modified()?;
                has_code |= kind == Kind::Code;
                let files = match kind {
                    Kind::Manifest | Kind::Code => &mut self.files,
                    Kind::Data => &mut data,
                };
                files.push(SourceFile { path, modified });
            }
        }
        if has_code {
            self.files.append(&mut data);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(folder: &Path, file: &str, text: &str) {
        let path = folder.join(file);
        fs::create_dir_all(path.parent().expect("it has one")).expect("it can be made");
        fs::write(path, text).expect("it can be written");
    }

    fn digest(folder: &Path) -> [u8; DIGEST_BYTES] {
        let sources = ProjectSources::of(folder, Language::Rust);
        sources.expect("there are sources").digest
    }

    #[test]
    fn the_digest_follows_the_sources_and_nothing_else() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let folder = folder.path();
        write(folder, "Cargo.toml", "[package]");
        write(folder, "src/lib.rs", "one");
        let before = digest(folder);
        for (file, text) in [
            ("count.wasm", "wasm"),
            ("Cargo.lock", "lock"),
            ("target/out.rs", "output"),
            (".hidden/lib.rs", "hidden"),
            ("tests/scenario.rs", "test"),
            ("job.toml", "job"),
            ("output/part-0", "records"),
            ("input/events.json", "records"),
        ] {
            write(folder, file, text);
            assert_eq!(digest(folder), before, "{file} is no source");
        }
        for (file, text) in [
            ("src/lib.rs", "two"),
            ("src/tests/deep.rs", ""),
            ("src/rates.json", "beside code"),
            ("sdk/src/lib.rs", "the SDK"),
            ("Cargo.toml", "[package] "),
        ] {
            let before = digest(folder);
            write(folder, file, text);
            assert_ne!(digest(folder), before, "{file} is a source");
        }
        write(folder, "src/lib.rs", "one");
        fs::remove_dir_all(folder.join("src/tests")).expect("it is there");
        fs::remove_dir_all(folder.join("sdk")).expect("it is there");
        fs::remove_file(folder.join("src/rates.json")).expect("it is there");
        write(folder, "Cargo.toml", "[package]");
        assert_eq!(digest(folder), before, "the sources are as before");
    }

    #[test]
    fn a_renamed_source_and_a_moved_line_are_changes_and_a_moved_project_is_none() {
        let one = tempfile::tempdir().expect("a temporary directory");
        write(one.path(), "a.rs", "x");
        write(one.path(), "b.rs", "");
        let other = tempfile::tempdir().expect("a temporary directory");
        write(other.path(), "a.rs", "");
        write(other.path(), "b.rs", "x");
        assert_ne!(digest(one.path()), digest(other.path()));
        write(other.path(), "a.rs", "x");
        write(other.path(), "b.rs", "");
        assert_eq!(digest(one.path()), digest(other.path()));
    }

    #[test]
    fn the_newest_source_and_all_folders_are_known() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        write(folder.path(), "src/lib.rs", "");
        write(folder.path(), "src/new.rs", "");
        let at = SystemTime::now() + std::time::Duration::from_secs(60);
        let newest = folder.path().join("src/new.rs");
        let file = fs::File::options().write(true).open(&newest);
        let file = file.expect("it is there");
        file.set_modified(at).expect("its time can be set");
        let sources = ProjectSources::of(folder.path(), Language::Rust).expect("there are sources");
        assert_eq!(sources.newest, newest);
        let folders = [folder.path().to_owned(), folder.path().join("src")];
        assert_eq!(sources.folders, folders);
    }

    #[test]
    fn a_folder_without_sources_has_no_digest() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        assert_eq!(ProjectSources::of(folder.path(), Language::Go), None);
        assert_eq!(
            ProjectSources::of(&folder.path().join("none"), Language::Go),
            None
        );
    }
}
