//! Directories that a job writes to: each sink needs one of its own, apart from the checkpoints.
//!
//! They are compared as the system will resolve them, however they are written and whether they
//! exist yet. Nothing is created.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};

use super::problem::{Problem, Problems, Span};

/// As many links are followed in one path as Linux follows.
const MOST_LINKS: usize = 40;

/// The directory of a sink.
#[derive(Debug)]
pub(super) struct SinkDirectory {
    /// The sink's name.
    pub(super) sink: String,
    /// Where the job file says so.
    pub(super) span: Span,
    /// Its absolute path.
    pub(super) path: PathBuf,
}

/// Reports sinks that would write into each other's directory or among the checkpoints.
pub(super) fn check(sinks: &[SinkDirectory], checkpoints: &Path, problems: &Problems) {
    let checkpoints = resolved(checkpoints);
    let paths: Vec<PathBuf> = sinks.iter().map(|sink| resolved(&sink.path)).collect();
    for (index, (sink, path)) in sinks.iter().zip(&paths).enumerate() {
        let name = &sink.sink;
        let earlier = paths[..index].iter().position(|earlier| earlier == path);
        if let Some(earlier) = earlier {
            let other = &sinks[earlier].sink;
            let message = format!(
                "sink `{name}` has the same `directory` as sink `{other}`: {}",
                path.display()
            );
            let problem = Problem::at(sink.span.clone(), message);
            problems.push(problem.help("every sink needs a directory of its own"));
        } else if path.starts_with(&checkpoints) {
            let message = format!(
                "sink `{name}` would write into the checkpoint directory: {} is in {}",
                path.display(),
                checkpoints.display()
            );
            let problem = Problem::at(sink.span.clone(), message);
            problems.push(problem.help("name a directory outside of it"));
        } else if is_output(&checkpoints, path) {
            let message = format!(
                "the checkpoint directory {} would be output of sink `{name}`: it is in {}",
                checkpoints.display(),
                path.display()
            );
            let problem = Problem::at(sink.span.clone(), message);
            problems.push(problem.help("name a directory that does not hold it"));
        }
    }
}

/// True if `path` would stand among the output in `directory`, or below it.
fn is_output(path: &Path, directory: &Path) -> bool {
    let below = path.strip_prefix(directory).ok();
    let first = below.and_then(|below| below.components().next());
    first.is_some_and(|first| {
        let name = first.as_os_str().to_string_lossy();
        !name.starts_with(['.', '_'])
    })
}

/// The path without links, `.` and `..`, also where it does not exist yet.
fn resolved(path: &Path) -> PathBuf {
    let words = |path: &Path| -> Vec<OsString> {
        let components = path.components();
        components.map(|word| word.as_os_str().to_owned()).collect()
    };
    let mut left = VecDeque::from(words(path));
    let (mut resolved, mut links) = (PathBuf::new(), 0);
    while let Some(word) = left.pop_front() {
        match Path::new(&word).components().next() {
            Some(Component::Normal(name)) => resolved.push(name),
            // A link before it was followed, so this is where the system goes, too.
            Some(Component::ParentDir) => drop(resolved.pop()),
            Some(Component::RootDir | Component::Prefix(_)) => resolved = PathBuf::from(&word),
            Some(Component::CurDir) | None => {}
        }
        if let Ok(target) = std::fs::read_link(&resolved)
            && links < MOST_LINKS
        {
            links += 1;
            resolved.pop();
            for word in words(&target).into_iter().rev() {
                left.push_front(word);
            }
        }
    }
    resolved
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn problems(checkpoints: &str, sinks: &[&str], base: &Path) -> Vec<String> {
        let found = Problems::default();
        let sink = |(index, directory): (usize, &&str)| SinkDirectory {
            sink: format!("s{index}"),
            span: index..index,
            path: base.join(directory),
        };
        let sinks: Vec<_> = sinks.iter().enumerate().map(sink).collect();
        check(&sinks, &base.join(checkpoints), &found);
        let problems = found.into_found().told.into_iter();
        problems.map(|problem| problem.message).collect()
    }

    #[test]
    fn one_directory_is_found_under_any_name_and_others_are_not_mistaken_for_it() {
        let base = tempfile::tempdir().expect("a temporary directory");
        let base = base.path().canonicalize().expect("it is there");
        for directory in ["is-there", "deep/er"] {
            std::fs::create_dir_all(base.join(directory)).expect("it can be made");
        }
        for (target, link) in [
            ("is-there", "link"),
            ("out", "dangling"),
            ("dangling", "twice"),
            ("deep/er", "down"),
            ("loop", "loop"),
        ] {
            symlink(target, base.join(link)).expect("it can be made");
        }
        let same = [
            ("out", "./out"),
            ("out", "out/"),
            ("out", "a/../out"),
            ("out", "a//.././out"),
            ("out", "dangling"),
            ("out", "twice"),
            ("is-there", "link"),
            ("link/x", "is-there/x"),
            ("deep/x", "down/../x"),
            ("loop", "loop"),
        ];
        for (one, other) in same {
            let found = problems("state", &[one, other], &base);
            assert_eq!(found.len(), 1, "{one} {other}: {found:?}");
            assert!(found[0].contains("`s1` has the same `directory` as sink `s0`"));
            let absolute = base.join(other);
            let absolute = absolute.to_str().expect("it is text");
            assert_eq!(problems("state", &[one, absolute], &base).len(), 1);
        }
        for (one, other) in [("out", "out2"), ("out", "out/in"), ("x", "down/../x")] {
            let found = problems("state", &[one, other], &base);
            assert_eq!(found, [""; 0], "{one} {other}");
        }
    }

    #[test]
    fn checkpoints_and_output_are_kept_apart() {
        let base = tempfile::tempdir().expect("a temporary directory");
        for (checkpoints, sink, count) in [
            ("state", "state", 1),
            ("state", "./state/out", 1),
            ("out/state", "out", 1),
            ("out/deep/state", "out", 1),
            ("out/.state", "out", 0),
            ("out/_state", "out", 0),
            ("state", "state2", 0),
            ("state", "out", 0),
        ] {
            let found = problems(checkpoints, &[sink], base.path());
            assert_eq!(found.len(), count, "{checkpoints} {sink}: {found:?}");
        }
    }
}
