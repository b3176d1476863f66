//! The directories that belong to a job: its checkpoints and its output. A savepoint among them
//! would be taken for either, or hinder the next start.

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use tidegate_operator::shown;
use tidegate_runtime::Job;

/// The directories of one job.
#[derive(Clone, Debug)]
pub(crate) struct OwnDirectories {
    /// The directories, each with its role for the user.
    directories: Vec<(PathBuf, String)>,
}

impl OwnDirectories {
    /// Returns the directories of `job`, whose checkpoints are in `checkpoints`.
    pub(crate) fn of(job: &Job, checkpoints: &Path) -> Self {
        let mut directories = vec![(
            checkpoints.to_owned(),
            "the job's checkpoint directory".to_owned(),
        )];
        for (name, sink) in &job.sinks {
            if let Some(directory) = sink.directory() {
                let what = format!("the output directory of sink `{name}`");
                directories.push((directory.to_owned(), what));
            }
        }
        Self { directories }
    }

    /// Returns an error if `path` is one of the directories or inside one, whatever links and `..`
    /// it contains. Existing directories are compared by device and inode.
    pub(crate) fn refuse(&self, path: &Path) -> Result<(), String> {
        let existing = path
            .ancestors()
            .find_map(|part| fs::canonicalize(part).ok());
        let existing = existing.unwrap_or_default();
        let above: Vec<_> = existing.ancestors().filter_map(identity).collect();
        for (own, what) in &self.directories {
            if identity(own).is_some_and(|own| above.contains(&own)) {
                return Err(format!(
                    "{} is in {what}, {}, which must hold nothing else; name a directory \
                     outside of it",
                    shown(path),
                    shown(own)
                ));
            }
        }
        Ok(())
    }
}

/// Returns device and inode of a directory, or `None` if it does not exist.
fn identity(path: &Path) -> Option<(u64, u64)> {
    let identity = |metadata: Metadata| (metadata.dev(), metadata.ino());
    fs::metadata(path).ok().map(identity)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_path_into_an_own_directory_is_refused_however_it_is_written() {
        let root = tempfile::tempdir().unwrap();
        let at = |path: &str| root.path().join(path);
        fs::create_dir_all(at("state/checkpoints")).unwrap();
        fs::create_dir_all(at("beside/deep")).unwrap();
        symlink(at("state"), at("link")).unwrap();
        symlink("../state/checkpoints", at("beside/inner")).unwrap();
        let own = OwnDirectories {
            directories: vec![
                (at("state"), "its state".to_owned()),
                (at("missing"), "its output".to_owned()),
            ],
        };
        for path in [
            "state",
            "state/new",
            "state/new/deeper",
            "state/checkpoints",
            "state/../state/new",
            "beside/../state",
            "beside/deep/../../state/x",
            "link",
            "link/x",
            "beside/inner/x",
        ] {
            let refused = own.refuse(&at(path)).unwrap_err();
            assert!(refused.contains("is in its state"), "{path}: {refused}");
        }
        for path in [
            "",
            "beside",
            "beside/deep/x",
            "state-2",
            "new/deeper",
            "state/..",
        ] {
            assert_eq!(own.refuse(&at(path)), Ok(()), "{path}");
        }
    }
}
