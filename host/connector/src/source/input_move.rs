//! Input that was moved since a checkpoint. Pure.

use std::fmt;

use super::SourceSplit;

/// A file or a directory that was moved: `--move-input FROM=TO`. Both are paths as in the job file:
/// relative to its directory, or absolute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputMove {
    from: String,
    to: String,
}

/// A split of a checkpoint after its input was moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MovedSplit {
    /// The split with the new paths.
    pub split: SourceSplit,
    /// For each move, true if the split has its old path, or has its new path already.
    pub is_used: Vec<bool>,
}

impl MovedSplit {
    /// Returns a split that none of `moves` moves.
    #[must_use]
    pub fn unmoved(split: SourceSplit, moves: &[InputMove]) -> Self {
        Self {
            split,
            is_used: vec![false; moves.len()],
        }
    }
}

impl InputMove {
    /// Parses `FROM=TO`.
    ///
    /// # Errors
    ///
    /// The reason, as text for people.
    pub fn parse(text: &str) -> Result<Self, String> {
        let Some((from, to)) = text.split_once('=') else {
            return Err("write the old and the new path as FROM=TO".to_owned());
        };
        let (from, to) = (normal(from), normal(to));
        if from.is_empty() || to.is_empty() || from == to {
            return Err("FROM and TO must be two paths that differ".to_owned());
        }
        Ok(Self { from, to })
    }

    /// Returns the new path of `path`, if it was moved.
    #[must_use]
    pub fn moved(&self, path: &str) -> Option<String> {
        rest_below(path, &self.from).map(|rest| format!("{}{rest}", self.to))
    }

    /// Returns the path that `path` had before, if it is a new one.
    #[must_use]
    pub fn original(&self, path: &str) -> Option<String> {
        rest_below(path, &self.to).map(|rest| format!("{}{rest}", self.from))
    }

    /// Moves `path`. Returns true if it was moved, now or before.
    #[must_use]
    pub fn apply(&self, path: &mut String) -> bool {
        match self.moved(path) {
            Some(moved) => {
                *path = moved;
                true
            }
            None => self.original(path).is_some(),
        }
    }
}

impl fmt::Display for InputMove {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.from, self.to)
    }
}

/// Returns the rest of a path that is `of` or below it, with the slash before it.
fn rest_below<'a>(path: &'a str, of: &str) -> Option<&'a str> {
    let rest = path.strip_prefix(of)?;
    (rest.is_empty() || rest.starts_with('/')).then_some(rest)
}

/// Returns a path without components that name no directory.
fn normal(path: &str) -> String {
    let parts = path.split('/').filter(|part| !matches!(*part, "" | "."));
    let joined = parts.collect::<Vec<_>>().join("/");
    match path.starts_with('/') {
        true => format!("/{joined}"),
        false => joined,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> InputMove {
        InputMove::parse(text).expect("it has two paths")
    }

    #[test]
    fn a_path_and_all_below_it_is_moved_and_no_path_that_only_begins_alike() {
        let directory = parsed("./in/=elsewhere//in");
        assert_eq!(directory, parsed("in=elsewhere/in"));
        assert_eq!(
            directory.moved("in/a/b").as_deref(),
            Some("elsewhere/in/a/b")
        );
        assert_eq!(directory.moved("in").as_deref(), Some("elsewhere/in"));
        for path in ["input/a", "a/in/b", "/in/a", ""] {
            assert_eq!(directory.moved(path), None, "{path}");
        }
        assert_eq!(
            directory.original("elsewhere/in/a").as_deref(),
            Some("in/a")
        );
        let mut path = "in/a".to_owned();
        assert!(directory.apply(&mut path) && path == "elsewhere/in/a");
        assert!(directory.apply(&mut path) && path == "elsewhere/in/a");
        assert!(!directory.apply(&mut "b".to_owned()));
    }

    #[test]
    fn a_move_needs_two_paths_that_differ() {
        for text in ["", "in", "=", "in=", "=in", "in=./in/"] {
            assert!(InputMove::parse(text).is_err(), "{text}");
        }
        assert_eq!(parsed("a=b=c").moved("a").as_deref(), Some("b=c"));
    }
}
