//! The folders in which tools are looked for.

use std::env;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// Tidegate's own folders, and those of the machine.
#[derive(Clone, Debug, Default)]
pub(crate) struct Places {
    /// The folder of `tidegate doctor --fix`, unless no home directory is known.
    pub(crate) own: Option<PathBuf>,
    /// The folder of `make setup`, beside the binary in a checkout.
    pub(crate) checkout: Option<PathBuf>,
    /// The folders of `PATH`.
    pub(crate) search_path: Vec<PathBuf>,
}

impl Places {
    /// Returns the places for this process.
    pub(crate) fn of_this_process() -> Self {
        Self {
            own: own_tools().filter(|tools| is_private(tools)),
            checkout: checkout_tools(),
            search_path: search_path(),
        }
    }

    /// Returns the first program of this name on the `PATH`.
    pub(crate) fn on_path(&self, name: &str) -> Option<PathBuf> {
        let mut programs = self.search_path.iter().map(|folder| folder.join(name));
        programs.find(|program| is_program(program))
    }
}

/// Returns the folder for the tools that `tidegate doctor --fix` installs.
pub(super) fn own_tools() -> Option<PathBuf> {
    Some(base("XDG_DATA_HOME", ".local/share")?.join("tidegate/tools"))
}

/// Returns the folder for files that builds reuse and that may be removed at any time.
pub(crate) fn cache_folder() -> Option<PathBuf> {
    Some(base("XDG_CACHE_HOME", ".cache")?.join("tidegate"))
}

/// Returns the folder where `make setup` of a checkout puts tools, beside the binary's.
fn checkout_tools() -> Option<PathBuf> {
    let binary = env::current_exe().ok()?;
    Some(binary.parent()?.parent()?.join("tools"))
}

/// Returns the folders of `PATH`.
pub(crate) fn search_path() -> Vec<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).collect()
}

/// Returns true if a file is there and may be executed.
pub(crate) fn is_program(path: &Path) -> bool {
    mode(path).is_some_and(|mode| path.is_file() && mode & 0o111 != 0)
}

/// Returns true if no other user may write to a folder. Programs of any other folder are not run.
pub(super) fn is_private(folder: &Path) -> bool {
    mode(folder).is_some_and(|mode| mode & 0o022 == 0)
}

fn mode(path: &Path) -> Option<u32> {
    Some(path.metadata().ok()?.permissions().mode())
}

/// Returns a base directory of the XDG specification: the variable's if it is an absolute path,
/// else one in the home directory.
fn base(variable: &str, in_home: &str) -> Option<PathBuf> {
    let absolute = |path: &PathBuf| path.is_absolute();
    let named = env::var_os(variable).map(PathBuf::from).filter(absolute);
    named.or_else(|| {
        let home = env::var_os("HOME").map(PathBuf::from).filter(absolute)?;
        Some(home.join(in_home))
    })
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};

    use super::*;

    #[test]
    fn only_a_file_that_may_be_executed_is_a_program() {
        let folder = tempfile::tempdir().expect("a temporary directory can be made");
        let places = Places {
            search_path: vec![folder.path().join("a"), folder.path().join("b")],
            ..Places::default()
        };
        for (name, mode) in [("a/node", 0o644), ("b/node", 0o755)] {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().expect("it has one")).expect("it can be made");
            fs::write(&path, "").expect("it can be written");
            fs::set_permissions(&path, Permissions::from_mode(mode)).expect("it is ours");
        }
        assert_eq!(places.on_path("node"), Some(folder.path().join("b/node")));
        assert_eq!(places.on_path("npm"), None);
        assert!(!is_program(folder.path()), "a folder is not a program");
    }

    #[test]
    fn a_folder_that_others_may_write_to_is_not_private() {
        let folder = tempfile::tempdir().expect("a temporary directory can be made");
        for (mode, expected) in [(0o700, true), (0o755, true), (0o775, false), (0o707, false)] {
            fs::set_permissions(folder.path(), Permissions::from_mode(mode)).expect("it is ours");
            assert_eq!(is_private(folder.path()), expected, "{mode:o}");
        }
        assert!(!is_private(&folder.path().join("missing")));
    }
}
