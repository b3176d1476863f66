//! A glob, divided into its root, which is opened by name, and the components below it. Pure,
//! except that it opens the root.
//!
//! The components before the first wildcard are the root. A wildcard matches no leading dot; `**`
//! matches any number of directories.

use std::path::{Path, PathBuf};

use glob::{MatchOptions, Pattern};
use tidegate_connector::ConnectorError;
use tidegate_operator::shown;

use super::input_root::InputRoot;

/// A glob, divided into root and components.
#[derive(Clone, Debug)]
pub(super) struct Glob {
    /// The text that the user wrote.
    text: String,
    /// The components before the first wildcard, without those that name no directory ("." and
    /// empty ones); empty for the base directory.
    root: String,
    pub(super) components: Vec<Component>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Component {
    /// `**`.
    AnyDepth,
    Name(Pattern),
}

pub(super) const MATCH_OPTIONS: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: true,
};

pub(super) fn job_refused(reason: String) -> ConnectorError {
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
        Ok(Self {
            text: text.to_owned(),
            root: normalised(&parts[..fixed]),
            components,
        })
    }

    /// Returns the root as checkpoints name it: the same however the user spelled it, but relative
    /// to the job file, or absolute, as written.
    pub(super) fn root(&self) -> &str {
        &self.root
    }

    /// Returns a text of the glob that is the same however the user spelled it.
    pub(super) fn normal_text(&self) -> String {
        let components = self.components.iter().map(|component| match component {
            Component::AnyDepth => "**",
            Component::Name(pattern) => pattern.as_str(),
        });
        self.name_of(&components.collect::<Vec<_>>().join("/"))
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
            "`path` = \"{}\" has matched more than {most} files in the life of the job, the most \
             that `discover` remembers; start a new job with a directory of its own",
            self.text
        ))
    }

    /// Returns the name, for people and in positions, of a file given relative to the root.
    pub(super) fn name_of(&self, relative: &str) -> String {
        match self.root.as_str() {
            "" => relative.to_owned(),
            root if root.ends_with('/') => format!("{root}{relative}"),
            root => format!("{root}/{relative}"),
        }
    }

    /// Returns the path relative to the root of a file that a walk named; `None` if the
    /// file is not below the root.
    pub(super) fn relative<'a>(&self, name: &'a str) -> Option<&'a str> {
        match self.root.as_str() {
            "" => (!name.starts_with('/')).then_some(name),
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

    /// Returns the path relative to the root of a file that a checkpoint names.
    pub(super) fn below_root<'a>(&self, name: &'a str) -> Result<&'a str, ConnectorError> {
        self.relative(name)
            .ok_or_else(|| ConnectorError::StateRefused {
                reason: format!(
                    "the checkpoint names the input file {name}, which is not below the directory \
                     of `path` = \"{}\". Write the directory in `path` as before, add \
                     `--move-input FROM=TO` if the file was moved, or start the job afresh",
                    self.text
                ),
            })
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
}

/// Joins the components of a root, except those that name no directory.
fn normalised(parts: &[&str]) -> String {
    let named = parts.iter().filter(|part| !matches!(**part, "" | "."));
    let joined = named.copied().collect::<Vec<_>>().join("/");
    match parts {
        ["", ..] => format!("/{joined}"),
        _ => joined,
    }
}

#[cfg(test)]
mod tests;
