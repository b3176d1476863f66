//! Copies of the modules to compile.

use std::fs;
use std::io;
use std::path::Path;

use crate::build::error::BuildError;

/// Folders for the output of tools. Any other folder may be a package.
const LEFT_OUT: [&str; 4] = ["__pycache__", "node_modules", "target", "venv"];

/// The greatest depth of folders.
const DEPTH: usize = 16;

/// Makes `to` a copy of the folder `from`, without the folder `without`. Removes an earlier copy. A
/// link is followed if its target is a file, since a folder could be anywhere.
pub(super) fn copy(from: &Path, to: &Path, without: &Path) -> Result<(), BuildError> {
    let failed = |source| BuildError::Write {
        path: to.to_owned(),
        source,
    };
    if !from.is_dir() {
        return Err(BuildError::Read {
            path: from.to_owned(),
            source: io::Error::from(io::ErrorKind::NotFound),
        });
    }
    if to.exists() {
        fs::remove_dir_all(to).map_err(failed)?;
    }
    copy_folder(from, to, without, DEPTH).map_err(failed)
}

fn copy_folder(from: &Path, to: &Path, without: &Path, depth: usize) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let name = entry.file_name();
        let text = name.to_string_lossy();
        let path = entry.path();
        if text.starts_with('.') || path == without {
            continue;
        }
        if entry.file_type()?.is_dir() {
            if depth > 0 && !LEFT_OUT.contains(&&*text) {
                copy_folder(&path, &to.join(&name), without, depth - 1)?;
            }
        } else if path.is_file() {
            fs::copy(&path, to.join(&name))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_are_copied_and_what_tools_made_is_not() {
        let folder = tempfile::tempdir().expect("a temporary directory can be made");
        let (from, to) = (folder.path().join("from"), folder.path().join("from/out"));
        for file in [
            "a.py",
            "build/b.py",
            "build/data.json",
            "__pycache__/a.pyc",
            ".venv/c.py",
        ] {
            let path = from.join(file);
            fs::create_dir_all(path.parent().expect("it has one")).expect("it can be made");
            fs::write(path, file).expect("it can be written");
        }
        fs::create_dir_all(&to).expect("it can be made");
        fs::write(to.join("left-over.py"), "").expect("it can be written");
        copy(&from, &to, &to).expect("it can be copied");
        let mut names = Vec::new();
        for place in [&to, &to.join("build")] {
            for entry in fs::read_dir(place).expect("it is there") {
                let name = entry.expect("it can be read").file_name();
                names.push(name.to_string_lossy().into_owned());
            }
        }
        names.sort();
        assert_eq!(names, ["a.py", "b.py", "build", "data.json"]);
    }
}
