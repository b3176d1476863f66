//! The folder in which projects share compiled crates: the standard library and the SDK's
//! dependencies are compiled once for each toolchain, and not once a project.
//!
//! Each project has a target directory of its own, which begins as a copy of the shared crates.
//! Cargo tells two crates apart by their paths relative to their workspaces, so in one directory
//! for all it would take one project `total` for the other. Invariant: `shared` holds crates of
//! registries and of the toolchain only. Two builds of one project take turns.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use crate::build::error::BuildError;

/// The most compiled units that are shared. A new project of the template has about 60.
const MOST_UNITS: usize = 200;

/// The folders of a target directory with a file or folder for each unit. Cargo trusts a unit with
/// a fingerprint, so the fingerprints come last.
const FOLDERS: [&str; 3] = ["deps", "build", ".fingerprint"];

/// The file in a project's folder that names its manifest.
const OWNER: &str = "tidegate-manifest.txt";

/// The target directory of one project, locked.
#[derive(Debug)]
pub(super) struct ProjectFolder {
    /// The folder that projects of the same toolchain and flags share.
    root: PathBuf,
    pub(super) target_dir: PathBuf,
    /// Locked until this value is dropped.
    _lock: File,
}

impl ProjectFolder {
    /// Locks the folder of a project below `root`. A new folder gets the shared crates.
    pub(super) fn open(root: &Path, manifest: &Path) -> Result<Self, BuildError> {
        let target_dir = root.join(name_of(manifest));
        let opened = || -> io::Result<Self> {
            fs::create_dir_all(&target_dir)?;
            let lock = lock(&target_dir.join("tidegate.lock"))?;
            let folder = Self {
                root: root.to_owned(),
                target_dir: target_dir.clone(),
                _lock: lock,
            };
            if !target_dir.join(OWNER).exists() {
                folder.begin(manifest)?;
            }
            Ok(folder)
        };
        opened().map_err(|source| BuildError::Write {
            path: target_dir.clone(),
            source,
        })
    }

    fn begin(&self, manifest: &Path) -> io::Result<()> {
        let _lock = lock(&self.root.join("shared.lock"))?;
        forget_removed_projects(&self.root, &self.target_dir);
        copy_units(&self.root.join("shared"), &self.target_dir, &|_| true)?;
        fs::write(
            self.target_dir.join(OWNER),
            manifest.as_os_str().as_encoded_bytes(),
        )
    }

    /// Adds units of this project to the shared ones. `hashes` ends the names of their files.
    /// Errors are ignored: the next project then compiles these crates itself.
    pub(super) fn share(&self, hashes: &BTreeSet<String>) {
        let shared = self.root.join("shared");
        let is_wanted = |name: &OsStr| hash_in(name).is_some_and(|hash| hashes.contains(hash));
        let copied = lock(&self.root.join("shared.lock")).and_then(|_lock| {
            if units(&shared) + hashes.len() <= MOST_UNITS {
                copy_units(&self.target_dir, &shared, &is_wanted)?;
            }
            Ok(())
        });
        drop(copied);
    }
}

/// Returns the hash in the name of a unit's file: `libserde-0123456789abcdef.rlib` or `serde-…`.
pub(super) fn hash_in(name: &OsStr) -> Option<&str> {
    let name = name.to_str()?;
    let (_, end) = name.rsplit_once('-')?;
    let hash = end.split('.').next()?;
    let is_hash = hash.len() == 16 && hash.chars().all(|c| c.is_ascii_hexdigit());
    is_hash.then_some(hash)
}

/// Returns a folder name that is unique to a manifest.
fn name_of(manifest: &Path) -> String {
    let folder = manifest.parent().and_then(Path::file_name);
    let digest = blake3::hash(manifest.as_os_str().as_encoded_bytes()).to_hex();
    let folder = folder.unwrap_or_default().to_string_lossy();
    format!("{folder}-{}", &digest[..16])
}

/// Locks a file, and waits until no one else has it.
fn lock(path: &Path) -> io::Result<File> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let file = File::create(path)?;
    file.lock()?;
    Ok(file)
}

/// Removes the folders of projects that are gone. Errors are ignored.
fn forget_removed_projects(root: &Path, except: &Path) {
    for entry in fs::read_dir(root).into_iter().flatten().flatten() {
        let folder = entry.path();
        let Ok(manifest) = fs::read(folder.join(OWNER)) else {
            continue;
        };
        let manifest = String::from_utf8_lossy(&manifest).into_owned();
        if folder != except && !Path::new(&manifest).exists() {
            drop(fs::remove_dir_all(folder));
        }
    }
}

/// Returns the profile folders of a target directory: those of the host and of the target.
fn profiles(target_dir: &Path) -> [PathBuf; 2] {
    [
        "release".into(),
        Path::new(super::toolchain::TARGET).join("release"),
    ]
    .map(|profile: PathBuf| target_dir.join(profile))
}

/// Returns the number of units in a target directory.
fn units(target_dir: &Path) -> usize {
    let count =
        |profile: PathBuf| fs::read_dir(profile.join(".fingerprint")).map_or(0, Iterator::count);
    profiles(target_dir).into_iter().map(count).sum()
}

/// Copies the wanted units that the other target directory lacks.
fn copy_units(from: &Path, to: &Path, is_wanted: &dyn Fn(&OsStr) -> bool) -> io::Result<()> {
    for (from, to) in profiles(from).iter().zip(profiles(to)) {
        for folder in FOLDERS {
            let (from, to) = (from.join(folder), to.join(folder));
            let Ok(entries) = fs::read_dir(from) else {
                continue;
            };
            fs::create_dir_all(&to)?;
            for entry in entries {
                let entry = entry?;
                let to = to.join(entry.file_name());
                if is_wanted(&entry.file_name()) && !to.exists() {
                    copy(&entry.path(), &to)?;
                }
            }
        }
    }
    Ok(())
}

/// Copies a file or folder with its times, which cargo compares. A file appears whole.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let metadata = fs::metadata(from)?;
    let partial = to.with_extension("partial");
    if metadata.is_dir() {
        drop(fs::remove_dir_all(&partial));
        fs::create_dir(&partial)?;
        for entry in fs::read_dir(from)? {
            let entry = entry?;
            copy(&entry.path(), &partial.join(entry.file_name()))?;
        }
    } else {
        fs::copy(from, &partial)?;
        File::options()
            .append(true)
            .open(&partial)?
            .set_modified(metadata.modified()?)?;
    }
    fs::rename(partial, to)
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNIT: &str = "libserde-0123456789abcdef.rlib";

    fn write(path: &Path, text: &str) {
        fs::create_dir_all(path.parent().expect("it has one")).expect("it can be made");
        fs::write(path, text).expect("it can be written");
    }

    fn project(root: &Path, name: &str) -> PathBuf {
        let manifest = root.join(name).join("total/Cargo.toml");
        write(&manifest, "");
        manifest
    }

    #[test]
    fn the_hash_of_a_unit_is_in_the_names_of_its_files() {
        let hash = |name: &str| hash_in(OsStr::new(name)).map(str::to_owned);
        let expected = Some("0123456789abcdef".to_owned());
        assert_eq!(hash(UNIT), expected);
        assert_eq!(hash("proc-macro2-0123456789abcdef"), expected);
        for other in [
            "total.wasm",
            "serde-12",
            "libserde-0123456789abcdeg.rlib",
            "-",
            "",
        ] {
            assert_eq!(hash(other), None, "{other}");
        }
    }

    #[test]
    fn projects_of_one_name_have_their_own_folders_and_begin_with_the_shared_units() {
        let place = tempfile::tempdir().expect("a temporary directory can be made");
        let root = place.path().join("cache");
        let (a, b) = (project(place.path(), "a"), project(place.path(), "b"));
        let first = ProjectFolder::open(&root, &a).expect("it can be made");
        let profile = |target_dir: &Path| target_dir.join("release");
        let compiled = profile(&first.target_dir);
        write(&compiled.join("deps").join(UNIT), "serde");
        write(
            &compiled.join("deps/total-fedcba9876543210.d"),
            "the project's own",
        );
        write(
            &compiled.join(".fingerprint/serde-0123456789abcdef/lib-serde"),
            "f",
        );
        let before = fs::metadata(compiled.join("deps").join(UNIT)).expect("it is there");
        first.share(&["0123456789abcdef".to_owned()].into());
        let second = ProjectFolder::open(&root, &b).expect("it can be made");
        assert_ne!(first.target_dir, second.target_dir);
        let copied = profile(&second.target_dir);
        let unit = copied.join("deps").join(UNIT);
        assert_eq!(fs::read(&unit).expect("it is shared"), b"serde");
        let after = fs::metadata(unit).expect("it is there");
        let times = [before, after].map(|file| file.modified().expect("it has one"));
        assert_eq!(times[0], times[1], "cargo compares the times");
        assert!(
            copied
                .join(".fingerprint/serde-0123456789abcdef/lib-serde")
                .exists()
        );
        assert!(!copied.join("deps/total-fedcba9876543210.d").exists());
    }

    #[test]
    fn a_project_that_is_gone_loses_its_folder() {
        let place = tempfile::tempdir().expect("a temporary directory can be made");
        let root = place.path().join("cache");
        let (a, b) = (project(place.path(), "a"), project(place.path(), "b"));
        let gone = ProjectFolder::open(&root, &a)
            .expect("it can be made")
            .target_dir;
        let kept = ProjectFolder::open(&root, &b)
            .expect("it can be made")
            .target_dir;
        fs::remove_file(a).expect("it is there");
        let new = project(place.path(), "c");
        let new = ProjectFolder::open(&root, &new)
            .expect("it can be made")
            .target_dir;
        assert_eq!(
            [gone, kept, new].map(|folder| folder.exists()),
            [false, true, true]
        );
    }

    #[test]
    fn no_more_is_shared_than_new_projects_can_use() {
        let place = tempfile::tempdir().expect("a temporary directory can be made");
        let root = place.path().join("cache");
        let first = ProjectFolder::open(&root, &project(place.path(), "a"));
        let first = first.expect("it can be made");
        write(&first.target_dir.join("release/deps").join(UNIT), "serde");
        let hashes = (0..=MOST_UNITS).map(|number| format!("{number:016x}"));
        let hashes = hashes.chain(["0123456789abcdef".to_owned()]);
        first.share(&hashes.collect());
        assert!(!root.join("shared/release/deps").join(UNIT).exists());
    }
}
