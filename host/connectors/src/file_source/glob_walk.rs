//! The walk to the files that match a glob, through one directory handle.
//!
//! Only the root is opened by name; the rest is reached through its handle. The walk follows links
//! to directories only if told to; it then enters no directory twice, so it ends.
//!
//! An entry that was removed since its directory was listed is no error. What becomes of another
//! entry that can't be read depends on the walk: while a job runs, one entry must not end it.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::io;

use cap_std::fs::{Dir, DirEntry};
use tidegate_connector::ConnectorError;

use super::input_root::{InputRoot, leads_out};
use super::path_glob::{Component, Glob, MATCH_OPTIONS, job_refused};

/// The largest number of unusable entries that one walk lists.
const LISTED_UNUSABLE: usize = 1_000;

impl Glob {
    /// Returns all files that match; rejects more than `most`.
    pub(super) fn files(
        &self,
        root: &InputRoot,
        most: usize,
        unusable: Unusable,
    ) -> Result<Matches, ConnectorError> {
        let mut walk = Walk {
            glob: self,
            root,
            most,
            unusable,
            found: Matches::default(),
            entered: HashSet::new(),
            links: BTreeMap::new(),
        };
        walk.directory(&root.dir, "", &self.components)?;
        // Links come last: a directory that can be reached without a link is read under that name.
        while let Some(((path, _), components)) = walk.links.pop_first() {
            walk.enter(&path, components)?;
        }
        Ok(walk.found)
    }
}

/// The treatment of an entry that matches and can't be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unusable {
    /// It is an error, so that no input is left out silently.
    Refused,
    /// The result lists it. An error about the root remains an error.
    Listed,
}

/// The result of a walk.
#[derive(Debug, Default)]
pub(super) struct Matches {
    /// The names of the files, in order.
    pub(super) files: BTreeSet<String>,
    /// The names of links that `**` did not follow.
    pub(super) left_out: BTreeSet<String>,
    /// The names of entries that can't be read, with the reasons; at most [`LISTED_UNUSABLE`].
    pub(super) unusable: BTreeMap<String, String>,
}

/// A walk through a root.
struct Walk<'a> {
    glob: &'a Glob,
    root: &'a InputRoot,
    /// The largest number of files that may match.
    most: usize,
    unusable: Unusable,
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
        if *component == Component::AnyDepth {
            if self.root.follow_links && !self.enters(prefix, components)? {
                return Ok(());
            }
            self.directory(directory, prefix, rest)?;
        }
        let entries = match directory.entries() {
            Ok(entries) => entries,
            Err(error) => return self.not_listed(prefix, error),
        };
        for entry in entries {
            match entry {
                Ok(entry) => self.entry(directory, prefix, &entry, components)?,
                Err(error) => return self.not_listed(prefix, error),
            }
        }
        Ok(())
    }

    /// Returns true if `**` has not entered the directory before.
    fn enters(
        &mut self,
        prefix: &str,
        components: &'a [Component],
    ) -> Result<bool, ConnectorError> {
        let relative = if prefix.is_empty() { "." } else { prefix };
        match self.root.find(relative) {
            Ok(found) => Ok(self.entered.insert((found.identity, components.len()))),
            Err(error) => self.not_listed(prefix, error).map(|()| false),
        }
    }

    /// Handles an entry of a directory, if it matches the first component.
    fn entry(
        &mut self,
        directory: &Dir,
        prefix: &str,
        entry: &DirEntry,
        components: &'a [Component],
    ) -> Result<(), ConnectorError> {
        let file_name = entry.file_name();
        let lossy_name = file_name.to_string_lossy();
        let is_match = match &components[0] {
            Component::AnyDepth => !lossy_name.starts_with('.'),
            Component::Name(pattern) => pattern.matches_with(&lossy_name, MATCH_OPTIONS),
        };
        if !is_match {
            return Ok(());
        }
        let path = format!("{prefix}{lossy_name}");
        if file_name.to_str().is_none() {
            let name = self.glob.name_of(&path);
            let refusal = job_refused(format!(
                "`path` = \"{}\" matches the file {name}, whose name is not UTF-8",
                self.glob.text()
            ));
            return self.unusable(name, refusal);
        }
        match &components[0] {
            Component::AnyDepth => self.descend(directory, entry, path, components),
            Component::Name(_) => self.step(&path, &components[1..]),
        }
    }

    /// Continues with an entry that `**` matched, if it is a directory.
    fn descend(
        &mut self,
        directory: &Dir,
        entry: &DirEntry,
        path: String,
        components: &'a [Component],
    ) -> Result<(), ConnectorError> {
        let kind = match entry.file_type() {
            Ok(kind) => kind,
            Err(error) => return self.not_listed(&path, error),
        };
        if kind.is_symlink() {
            self.meet_link(path, components);
        } else if kind.is_dir() {
            let inner = match directory.open_dir(entry.file_name()) {
                Ok(inner) => inner,
                Err(error) => return self.not_listed(&path, error),
            };
            self.directory(&inner, &format!("{path}/"), components)?;
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

    /// Enters a directory by its path from the root. Follows links.
    fn enter(&mut self, path: &str, components: &'a [Component]) -> Result<(), ConnectorError> {
        match self.root.open_directory(path) {
            Ok(directory) => self.directory(&directory, &format!("{path}/"), components),
            Err(error) => self.unreachable(path, error),
        }
    }

    /// Continues with an entry that matched; `path` is its path from the root.
    fn step(&mut self, path: &str, rest: &'a [Component]) -> Result<(), ConnectorError> {
        // Follows links, except out of the root: such a link can't be read.
        let found = match self.root.find(path) {
            Ok(found) => found,
            Err(error) => return self.unreachable(path, error),
        };
        let name = self.glob.name_of(path);
        if rest.is_empty() {
            if found.is_file {
                self.found.files.insert(name);
                if self.found.files.len() > self.most {
                    return Err(self.glob.too_many(self.most));
                }
            } else if !found.is_directory {
                let refusal = job_refused(format!(
                    "`path` = \"{}\" matches {name}, which is not a regular file",
                    self.glob.text()
                ));
                return self.unusable(name, refusal);
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
            return self.enter(path, rest);
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

    /// Handles an entry that could not be found or opened.
    fn unreachable(&mut self, path: &str, error: io::Error) -> Result<(), ConnectorError> {
        if self.has_vanished(path, &error) {
            return Ok(());
        }
        let name = self.glob.name_of(path);
        let error = self.root.unreachable(path, &name, error);
        self.unusable(name, error)
    }

    /// Handles a directory, by its path from the root, that could not be listed.
    fn not_listed(&mut self, path: &str, error: io::Error) -> Result<(), ConnectorError> {
        let name = self.glob.name_of(path);
        let failed =
            |error| ConnectorError::io(format!("could not list the directory {name}"))(error);
        if path.is_empty() {
            return Err(failed(error));
        }
        if self.has_vanished(path, &error) {
            return Ok(());
        }
        let error = failed(error);
        self.unusable(name, error)
    }

    /// Fails because of an entry that can't be read, or lists it.
    fn unusable(&mut self, name: String, error: ConnectorError) -> Result<(), ConnectorError> {
        if self.unusable == Unusable::Refused {
            return Err(error);
        }
        if self.found.unusable.len() < LISTED_UNUSABLE {
            self.found.unusable.insert(name, error.to_string());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
