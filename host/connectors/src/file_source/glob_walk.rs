//! The files that match a glob, found through one directory handle.
//!
//! The components before the first wildcard are the root, the only path that is opened by name. The
//! rest is reached through its handle. A wildcard matches no leading dot; `**` matches any number
//! of directories. The walk follows links to directories only if told to; it then enters no
//! directory twice, so it ends.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::io;
use std::path::{Path, PathBuf};

use cap_std::fs::Dir;
use glob::{MatchOptions, Pattern};
use tidegate_connector::ConnectorError;
use tidegate_operator::shown;

use super::input_root::{InputRoot, leads_out};

/// A glob, divided into root and components.
#[derive(Clone, Debug)]
pub(super) struct Glob {
    /// The text that the user wrote.
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
    /// Parses a glob. Rejects a glob that can't match a file; the message names the key `path`.
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

    /// Returns the glob as the user wrote it.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Opens the root.
    pub(super) fn open_root(
        &self,
        base: &Path,
        follow_links: bool,
    ) -> Result<InputRoot, ConnectorError> {
        let path = base.join(&self.root);
        InputRoot::open(path.clone(), follow_links).map_err(|error| {
            job_refused(format!(
                "`path` = \"{}\": can't open the directory {}: {error}",
                self.text,
                shown(&path)
            ))
        })
    }

    /// Returns the root's path without links, if the root exists.
    pub(super) fn root_path(&self, base: &Path) -> Option<PathBuf> {
        std::fs::canonicalize(base.join(&self.root)).ok()
    }

    /// Makes the refusal of more files than a source can remember.
    pub(super) fn too_many(&self, most: usize) -> ConnectorError {
        job_refused(format!(
            "`path` = \"{}\" matches more than {most} files, or has in the life of the job, and \
             `discover` remembers no more; start a new job on a directory of its own",
            self.text
        ))
    }

    /// Returns the name, for people and in positions, of a file given relative to the root.
    fn name_of(&self, relative: &str) -> String {
        match self.root.as_str() {
            "" => relative.to_owned(),
            root if root.ends_with('/') => format!("{root}{relative}"),
            root => format!("{root}/{relative}"),
        }
    }

    /// Returns the path relative to the root of a file that [`Self::files`] named; `None` if the
    /// file is not below the root.
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

    /// Returns true if the glob matches a file with this path relative to the root.
    pub(super) fn matches(&self, relative: &Path) -> bool {
        // `reached[i]`: the names so far match the components before `i`.
        let mut reached = vec![false; self.components.len() + 1];
        reached[0] = true;
        for name in relative {
            let name = name.to_string_lossy();
            self.skip_depths(&mut reached);
            let mut next = vec![false; reached.len()];
            for (at, component) in self
                .components
                .iter()
                .enumerate()
                .filter(|(at, _)| reached[*at])
            {
                match component {
                    Component::AnyDepth => next[at] |= !name.starts_with('.'),
                    Component::Name(pattern) => {
                        next[at + 1] |= pattern.matches_with(&name, MATCH_OPTIONS);
                    }
                }
            }
            reached = next;
        }
        reached.last().copied().unwrap_or_default()
    }

    /// Lets each reached `**` match no directory.
    fn skip_depths(&self, reached: &mut [bool]) {
        for (at, component) in self.components.iter().enumerate() {
            if reached[at] && *component == Component::AnyDepth {
                reached[at + 1] = true;
            }
        }
    }

    /// Returns all files that match; rejects more than `most`.
    pub(super) fn files(&self, root: &InputRoot, most: usize) -> Result<Matches, ConnectorError> {
        let mut walk = Walk {
            glob: self,
            root,
            most,
            found: Matches::default(),
            entered: HashSet::new(),
            links: BTreeMap::new(),
        };
        walk.directory(&root.dir, "", &self.components)?;
        // Links come last: a directory that can be reached without a link is read under that name.
        while let Some(((path, _), components)) = walk.links.pop_first() {
            walk.link(&path, components)?;
        }
        Ok(walk.found)
    }
}

/// The result of a walk.
#[derive(Debug, Default)]
pub(super) struct Matches {
    /// The names of the files, in order.
    pub(super) files: BTreeSet<String>,
    /// The names of links that `**` did not follow.
    pub(super) left_out: BTreeSet<String>,
}

/// A walk through a root.
struct Walk<'a> {
    glob: &'a Glob,
    root: &'a InputRoot,
    /// The largest number of files that may match.
    most: usize,
    found: Matches,
    /// Directories that `**` has entered, each with the length of the rest of the glob. Kept only
    /// if links are followed.
    entered: HashSet<((u64, u64), usize)>,
    /// Links to directories that `**` is still to enter, with the rest of the glob.
    links: BTreeMap<(String, usize), &'a [Component]>,
}

impl<'a> Walk<'a> {
    /// Walks through a directory; `prefix` is its path from the root, with a trailing slash.
    fn directory(
        &mut self,
        directory: &Dir,
        prefix: &str,
        components: &'a [Component],
    ) -> Result<(), ConnectorError> {
        let Some((component, rest)) = components.split_first() else {
            return Ok(());
        };
        let shown = self.glob.name_of(prefix);
        let failed = || ConnectorError::io(format!("could not list the directory {shown}"));
        if *component == Component::AnyDepth {
            if self.root.follow_links {
                let relative = if prefix.is_empty() { "." } else { prefix };
                let found = self.root.find(relative).map_err(failed())?;
                if !self.entered.insert((found.identity, components.len())) {
                    return Ok(());
                }
            }
            self.directory(directory, prefix, rest)?;
        }
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
                    self.glob.text
                )));
            };
            let path = format!("{prefix}{name}");
            match component {
                Component::AnyDepth => {
                    let kind = entry.file_type().map_err(failed())?;
                    if kind.is_dir() {
                        match directory.open_dir(name) {
                            Ok(inner) => {
                                self.directory(&inner, &format!("{path}/"), components)?;
                            }
                            Err(error) if self.has_vanished(&path, &error) => {}
                            Err(error) => return Err(failed()(error)),
                        }
                    } else if kind.is_symlink() {
                        self.meet_link(path, components);
                    }
                }
                Component::Name(_) => self.step(&path, rest)?,
            }
        }
        Ok(())
    }

    /// Handles a link that `**` has met. A link to a file is left to the names after `**`.
    fn meet_link(&mut self, path: String, components: &'a [Component]) {
        match self.root.find(&path) {
            Ok(found) if !found.is_directory => {}
            Ok(_) if self.root.follow_links => self.put_off(path, components),
            Ok(_) => drop(self.found.left_out.insert(self.glob.name_of(&path))),
            // The link leads out of the root, maybe to a directory.
            Err(error) if leads_out(&error) => {
                self.found.left_out.insert(self.glob.name_of(&path));
            }
            // The link leads nowhere, so there is nothing in it.
            Err(_) => {}
        }
    }

    fn put_off(&mut self, link: String, components: &'a [Component]) {
        self.links.insert((link, components.len()), components);
    }

    fn link(&mut self, path: &str, components: &'a [Component]) -> Result<(), ConnectorError> {
        let opened = self.root.open_directory(path);
        let directory = opened.map_err(|error| self.unreachable(path, error))?;
        self.directory(&directory, &format!("{path}/"), components)
    }

    /// Continues with an entry that matched; `path` is its path from the root.
    fn step(&mut self, path: &str, rest: &'a [Component]) -> Result<(), ConnectorError> {
        // Follows links, except out of the root: such a link is an error, so that no input is left
        // out silently.
        let found = match self.root.find(path) {
            Ok(found) => found,
            Err(error) if self.has_vanished(path, &error) => return Ok(()),
            Err(error) => return Err(self.unreachable(path, error)),
        };
        let name = self.glob.name_of(path);
        if rest.is_empty() {
            if found.is_file {
                self.found.files.insert(name);
                if self.found.files.len() > self.most {
                    return Err(self.glob.too_many(self.most));
                }
            } else if !found.is_directory {
                return Err(job_refused(format!(
                    "`path` = \"{}\" matches {name}, which is not a regular file",
                    self.glob.text
                )));
            }
        } else if found.is_directory {
            let is_link = || {
                let found = self.root.dir.symlink_metadata(path);
                found.is_ok_and(|found| found.is_symlink())
            };
            if self.root.follow_links && rest[0] == Component::AnyDepth && is_link() {
                self.put_off(path.to_owned(), rest);
                return Ok(());
            }
            let opened = self.root.open_directory(path);
            let inner = opened.map_err(|error| self.unreachable(path, error))?;
            self.directory(&inner, &format!("{path}/"), rest)?;
        }
        Ok(())
    }

    /// Returns true if an entry was removed since its directory was listed. A link that leads
    /// nowhere still exists.
    fn has_vanished(&self, path: &str, error: &io::Error) -> bool {
        let is_gone = |error: &io::Error| error.kind() == io::ErrorKind::NotFound;
        let entry = || self.root.dir.symlink_metadata(path);
        is_gone(error) && entry().is_err_and(|error| is_gone(&error))
    }

    fn unreachable(&self, path: &str, error: io::Error) -> ConnectorError {
        let name = self.glob.name_of(path);
        self.root.unreachable(path, &name, error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the files of a small tree that `glob` matches.
    fn matches(glob: &str) -> Vec<String> {
        let base = tempfile::tempdir().expect("a temporary directory");
        let tree = [
            "a.txt",
            "b.csv",
            ".c.txt",
            "in/d.txt",
            "in/deep/e.txt",
            "in[1]/f.txt",
        ];
        for file in tree {
            let path = base.path().join(file);
            std::fs::create_dir_all(path.parent().expect("has one")).expect("creates");
            std::fs::write(path, "x").expect("writes");
        }
        let glob = Glob::parse(glob).expect("is a glob");
        let root = glob.open_root(base.path(), false);
        let root = root.expect("the root is there");
        let files = glob.files(&root, usize::MAX).expect("can be listed").files;
        for name in &files {
            let relative = glob.relative(name).expect("is below the root");
            assert!(root.open_file(relative).is_ok(), "{name} can be opened");
        }
        for file in tree {
            let root = glob.root.trim_start_matches('.');
            let Ok(relative) = Path::new(file).strip_prefix(root) else {
                continue;
            };
            let is_found = files
                .iter()
                .any(|name| name.trim_start_matches("./") == file);
            assert_eq!(glob.matches(relative), is_found, "{file} by {}", glob.text);
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
