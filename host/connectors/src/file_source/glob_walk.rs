//! Which files a glob matches, found inside one directory handle.
//!
//! The components before the first wildcard are the root: the only path that is opened by name.
//! Everything below is reached through its handle. A wildcard matches no leading dot; `**` matches
//! any number of directories and does not follow links to directories, so that it ends.

use std::collections::BTreeSet;
use std::path::Path;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use glob::{MatchOptions, Pattern};
use tidegate_operator::shown;
use tidegate_runtime::ConnectorError;

/// A glob in two parts.
#[derive(Clone, Debug)]
pub(super) struct Glob {
    /// As the user wrote it.
    text: String,
    /// The components before the first wildcard, as written; empty for the base directory.
    root: String,
    components: Vec<Component>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Component {
    AnyDepth,
    Name(Pattern),
}

const MATCH_OPTIONS: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: true,
};

fn job_refused(reason: String) -> ConnectorError {
    ConnectorError::JobRefused { reason }
}

impl Glob {
    /// Reads a glob; refuses one that can't match a file, naming the key `path`.
    pub(super) fn parse(text: &str) -> Result<Self, ConnectorError> {
        let refuse = |why: &str| job_refused(format!("`path` = \"{text}\": {why}"));
        let parts: Vec<&str> = text.split('/').collect();
        let is_wild = |part: &str| part.contains(['*', '?', '[']);
        let last = parts.len() - 1;
        let fixed = parts
            .iter()
            .position(|part| is_wild(part))
            .unwrap_or(last)
            .min(last);
        let mut components = Vec::new();
        for part in parts[fixed..]
            .iter()
            .filter(|part| !matches!(**part, "" | "."))
        {
            components.push(match *part {
                ".." => return Err(refuse("`..` after a wildcard is not supported")),
                "**" => Component::AnyDepth,
                name => Component::Name(Pattern::new(name).map_err(|e| refuse(e.msg))?),
            });
        }
        match components.last() {
            None => return Err(refuse("it names a directory, not files; add `/*`")),
            Some(Component::AnyDepth) => {
                components.push(Component::Name(
                    Pattern::new("*").map_err(|e| refuse(e.msg))?,
                ));
            }
            Some(Component::Name(_)) => {}
        }
        let root = match &parts[..fixed] {
            [""] => "/".to_owned(),
            fixed => fixed.join("/"),
        };
        Ok(Self {
            text: text.to_owned(),
            root,
            components,
        })
    }

    /// The glob as the user wrote it.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Opens the root.
    pub(super) fn open_root(&self, base: &Path) -> Result<Dir, ConnectorError> {
        let path = base.join(&self.root);
        Dir::open_ambient_dir(&path, ambient_authority()).map_err(|error| {
            job_refused(format!(
                "`path` = \"{}\": can't open the directory {}: {error}",
                self.text,
                shown(&path)
            ))
        })
    }

    /// The name, for people and in positions, of a file given relative to the root.
    fn name_of(&self, relative: &str) -> String {
        match self.root.as_str() {
            "" => relative.to_owned(),
            root if root.ends_with('/') => format!("{root}{relative}"),
            root => format!("{root}/{relative}"),
        }
    }

    /// The path relative to the root of a file of which [`Self::files`] gave the name. None if it
    /// is not below the root.
    pub(super) fn relative<'a>(&self, name: &'a str) -> Option<&'a str> {
        match self.root.as_str() {
            "" => Some(name),
            root => {
                let rest = name.strip_prefix(root)?;
                if root.ends_with('/') {
                    Some(rest)
                } else {
                    rest.strip_prefix('/')
                }
            }
        }
    }

    /// The names of all files that match, in order.
    pub(super) fn files(&self, root: &Dir) -> Result<BTreeSet<String>, ConnectorError> {
        let mut found = BTreeSet::new();
        self.walk(root, "", &self.components, &mut found)?;
        Ok(found)
    }

    fn walk(
        &self,
        directory: &Dir,
        prefix: &str,
        components: &[Component],
        found: &mut BTreeSet<String>,
    ) -> Result<(), ConnectorError> {
        let Some((component, rest)) = components.split_first() else {
            return Ok(());
        };
        if *component == Component::AnyDepth {
            self.walk(directory, prefix, rest, found)?;
        }
        let shown = self.name_of(prefix);
        let failed = || ConnectorError::io(format!("could not list the directory {shown}"));
        for entry in directory.entries().map_err(failed())? {
            let entry = entry.map_err(failed())?;
            let file_name = entry.file_name();
            let lossy_name = file_name.to_string_lossy();
            let is_match = match component {
                Component::AnyDepth => !lossy_name.starts_with('.'),
                Component::Name(pattern) => pattern.matches_with(&lossy_name, MATCH_OPTIONS),
            };
            if !is_match {
                continue;
            }
            let Some(name) = file_name.to_str() else {
                return Err(job_refused(format!(
                    "`path` = \"{}\" matches the file {shown}{lossy_name}, whose name is not UTF-8",
                    self.text
                )));
            };
            let path = format!("{prefix}{name}");
            match component {
                // A link is left alone here: it may lead up, and the walk would not end.
                Component::AnyDepth if entry.file_type().map_err(failed())?.is_dir() => {
                    let inner = directory.open_dir(name).map_err(failed())?;
                    self.walk(&inner, &format!("{path}/"), components, found)?;
                }
                Component::AnyDepth => {}
                Component::Name(_) => self.step(directory, &path, rest, found)?,
            }
        }
        Ok(())
    }

    /// Goes on with an entry of `directory` that matched: `path` is its path from the root.
    fn step(
        &self,
        directory: &Dir,
        path: &str,
        rest: &[Component],
        found: &mut BTreeSet<String>,
    ) -> Result<(), ConnectorError> {
        let name = path.rsplit('/').next().unwrap_or(path);
        let failed = || ConnectorError::io(format!("could not open {}", self.name_of(path)));
        // Follows links, but none that leads out of the root: that is an error, so that no input
        // is left out silently.
        let metadata = directory.metadata(name).map_err(failed())?;
        if rest.is_empty() {
            if metadata.is_file() {
                found.insert(self.name_of(path));
            } else if !metadata.is_dir() {
                return Err(job_refused(format!(
                    "`path` = \"{}\" matches {}, which is not a regular file",
                    self.text,
                    self.name_of(path)
                )));
            }
        } else if metadata.is_dir() {
            let inner = directory.open_dir(name).map_err(failed())?;
            self.walk(&inner, &format!("{path}/"), rest, found)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Files of a small tree that `glob` matches.
    fn matches(glob: &str) -> Vec<String> {
        let base = tempfile::tempdir().expect("a temporary directory");
        for file in [
            "a.txt",
            "b.csv",
            ".c.txt",
            "in/d.txt",
            "in/deep/e.txt",
            "in[1]/f.txt",
        ] {
            let path = base.path().join(file);
            std::fs::create_dir_all(path.parent().expect("has one")).expect("creates");
            std::fs::write(path, "x").expect("writes");
        }
        let glob = Glob::parse(glob).expect("is a glob");
        let root = glob.open_root(base.path()).expect("the root is there");
        let files = glob.files(&root).expect("can be listed");
        for name in &files {
            let relative = glob.relative(name).expect("is below the root");
            assert!(root.open(relative).is_ok(), "{name} can be opened");
        }
        files.into_iter().collect()
    }

    #[test]
    fn wildcards_match_in_names_and_directories_and_never_a_leading_dot() {
        assert_eq!(matches("a.txt"), ["a.txt"]);
        assert_eq!(matches("*.txt"), ["a.txt"]);
        assert_eq!(matches("./*"), ["./a.txt", "./b.csv"]);
        assert_eq!(matches("*/*.txt"), ["in/d.txt", "in[1]/f.txt"]);
        assert_eq!(matches("in/*.txt"), ["in/d.txt"]);
        assert_eq!(matches("in/**/*.txt"), ["in/d.txt", "in/deep/e.txt"]);
        assert_eq!(
            matches("**"),
            ["a.txt", "b.csv", "in/d.txt", "in/deep/e.txt", "in[1]/f.txt"]
        );
        assert_eq!(matches("in[[]1]/f.txt"), ["in[1]/f.txt"]);
        assert_eq!(matches("?.csv"), ["b.csv"]);
        assert_eq!(matches("nothing*"), Vec::<String>::new());
    }

    #[test]
    fn a_glob_that_can_not_match_a_file_is_refused() {
        for glob in ["", "in/", "*/../x", "a["] {
            let error = Glob::parse(glob).expect_err("is refused").to_string();
            assert!(
                error.starts_with(&format!("`path` = \"{glob}\": ")),
                "{error}"
            );
        }
    }
}
