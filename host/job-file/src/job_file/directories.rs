//! Directories that a job writes to: each sink needs a separate one, apart from the checkpoints.
//!
//! Paths are compared as the system will resolve them, whether or not they exist yet. Existing
//! directories are compared by device and inode, since a mount can give one directory two paths.
//! Nothing is created.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::ffi::OsString;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use tidegate_connector::sink::SinkConnector;
use tidegate_connector::source::SourceConnector;
use tidegate_operator::shown;

use crate::config_file::problem::{Problem, Problems, Span};

/// The most links followed in one path, as in Linux.
const MOST_LINKS: usize = 40;

/// The directory of a sink.
#[derive(Debug)]
pub(super) struct SinkDirectory {
    /// The sink's name.
    pub(super) sink: String,
    /// The place in the job file.
    pub(super) span: Span,
    /// Its absolute path.
    pub(super) path: PathBuf,
}

/// Reports sinks that would write into each other's directory or among the checkpoints.
pub(super) fn check(sinks: &[SinkDirectory], checkpoints: &Path, problems: &Problems) {
    check_with(sinks, checkpoints, identity, problems);
}

/// Reports sinks whose output a source of the job would read.
pub(super) fn check_not_read(
    sinks: &[SinkDirectory],
    connected: &BTreeMap<String, Arc<dyn SinkConnector>>,
    sources: &BTreeMap<String, Arc<dyn SourceConnector>>,
    problems: &Problems,
) {
    for sink in sinks {
        let example = connected
            .get(&sink.sink)
            .and_then(|connector| connector.example_output());
        let Some(name) = example.as_deref().and_then(Path::file_name) else {
            continue;
        };
        let path = resolved(&sink.path).join(name);
        let reader = sources.iter().find(|(_, source)| source.reads(&path));
        if let Some((source, _)) = reader {
            let message = format!(
                "source `{source}` would read the output of sink `{}`, such as {}",
                sink.sink,
                shown(&path)
            );
            let help = "name a directory that the `path` of the source does not match";
            problems.push(Problem::at(sink.span.clone(), message).help(help));
        }
    }
}

/// The longest name of a file or directory in Linux, in bytes.
const MOST_NAME_BYTES: usize = 255;

/// Reports directories whose path the system rejects.
pub(super) fn check_paths(sinks: &[SinkDirectory], checkpoints: &Path, problems: &Problems) {
    if let Some(why) = not_possible(checkpoints) {
        problems.push(Problem::of_file(format!(
            "the checkpoint directory {} can't be used: {why}",
            shown(checkpoints)
        )));
    }
    for sink in sinks {
        if let Some(why) = not_possible(&sink.path) {
            let message = format!(
                "the `directory` of sink `{}` can't be used: {why}: {}",
                sink.sink,
                shown(&sink.path)
            );
            problems.push(Problem::at(sink.span.clone(), message));
        }
    }
}

/// Returns the reason why no directory can ever exist at `path`.
fn not_possible(path: &Path) -> Option<String> {
    // The system checks a name only if the path before it exists.
    let mut names = path.iter().map(|name| name.len());
    if names.any(|bytes| bytes > MOST_NAME_BYTES) {
        return Some(format!(
            "a name in it has more than {MOST_NAME_BYTES} bytes"
        ));
    }
    // As long as the path of an entry in it.
    let error = std::fs::metadata(path.join("checkpoints")).err()?;
    let is_too_long = error.kind() == ErrorKind::InvalidFilename;
    is_too_long.then(|| "its path is too long".to_owned())
}

/// Does the work of [`check`]; `identity` returns the directory that exists at a path, if any.
fn check_with(
    sinks: &[SinkDirectory],
    checkpoints: &Path,
    identity: impl Fn(&Path) -> Option<Identity>,
    problems: &Problems,
) {
    let checkpoints = Located::of(checkpoints, &identity);
    let mut earlier: HashMap<Place, (&str, PathBuf)> = HashMap::new();
    for sink in sinks {
        let name = &sink.sink;
        let directory = Located::of(&sink.path, &identity);
        let path = shown(&directory.path);
        let (message, help) = if let Some((other, its_path)) = earlier.get(directory.place()) {
            let also = if *its_path == directory.path {
                String::new()
            } else {
                format!(", which is also {}", shown(its_path))
            };
            (
                format!("sink `{name}` has the same `directory` as sink `{other}`: {path}{also}"),
                "every sink needs a directory of its own",
            )
        } else if directory.is_in(&checkpoints) {
            let checkpoints = shown(&checkpoints.path);
            (
                format!(
                    "sink `{name}` would write into the checkpoint directory: {path} is in \
                     {checkpoints}"
                ),
                "name a directory outside of the checkpoint directory",
            )
        } else if checkpoints.is_output_in(&directory) {
            let checkpoints = shown(&checkpoints.path);
            (
                format!(
                    "the checkpoint directory {checkpoints} would belong to the output of sink \
                     `{name}`: it is in {path}"
                ),
                "name a directory that does not contain the checkpoint directory",
            )
        } else {
            let place = directory.place().clone();
            earlier.insert(place, (name, directory.path));
            continue;
        };
        problems.push(Problem::at(sink.span.clone(), message).help(help));
    }
}

/// Device and inode.
type Identity = (u64, u64);

fn identity(path: &Path) -> Option<Identity> {
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.dev(), metadata.ino()))
}

/// The identity of a directory, which may not exist yet.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Place {
    /// The nearest directory on its path that exists; possibly itself.
    existing: Option<Identity>,
    /// The rest of the path.
    missing: PathBuf,
}

/// A directory with its resolved path.
struct Located {
    /// The path without links, `.` and `..`.
    path: PathBuf,
    /// The places of `path` and all directories above it, the root first.
    places: Vec<Place>,
}

impl Located {
    fn of(path: &Path, identity: &impl Fn(&Path) -> Option<Identity>) -> Self {
        let path = resolved(path);
        let mut place = Place {
            existing: None,
            missing: PathBuf::new(),
        };
        let (mut prefix, mut places) = (PathBuf::new(), Vec::new());
        for name in &path {
            prefix.push(name);
            let is_there = place.missing.as_os_str().is_empty();
            match identity(&prefix).filter(|_| is_there) {
                Some(found) => place.existing = Some(found),
                None => place.missing.push(name),
            }
            places.push(place.clone());
        }
        places.extend(places.is_empty().then_some(place));
        Self { path, places }
    }

    fn place(&self) -> &Place {
        self.places.last().expect("a path has a place")
    }

    /// Returns true if this is `other` or below it.
    fn is_in(&self, other: &Self) -> bool {
        self.places.contains(other.place())
    }

    /// Returns true if this would be in the output in `directory`, or below it.
    fn is_output_in(&self, directory: &Self) -> bool {
        let place = directory.place();
        let above = self.places.iter().position(|above| above == place);
        let below = above.and_then(|above| self.path.iter().nth(above + 1));
        below.is_some_and(|name| !name.to_string_lossy().starts_with(['.', '_']))
    }
}

/// Returns the path without links, `.` and `..`, even if it does not exist yet.
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
            // Links before it are already followed, so the system takes the same parent.
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
        problems_with(checkpoints, sinks, base, identity)
    }

    fn problems_with(
        checkpoints: &str,
        sinks: &[&str],
        base: &Path,
        identity: impl Fn(&Path) -> Option<Identity>,
    ) -> Vec<String> {
        let found = Problems::default();
        let sink = |(index, directory): (usize, &&str)| SinkDirectory {
            sink: format!("s{index}"),
            span: index..index,
            path: base.join(directory),
        };
        let sinks: Vec<_> = sinks.iter().enumerate().map(sink).collect();
        check_with(&sinks, &base.join(checkpoints), identity, &found);
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

    /// Identifies directories as if a bind mount showed `real` at `mounted`: one directory, two
    /// paths.
    fn bind_mounted(path: &Path) -> Option<Identity> {
        let path = path.to_str()?;
        let path = path.replace("/nowhere/mounted", "/nowhere/real");
        let exist = ["/", "/nowhere", "/nowhere/real", "/nowhere/real/out"];
        let inode = exist.iter().position(|exists| *exists == path)?;
        Some((7, u64::try_from(inode).ok()?))
    }

    #[test]
    fn one_directory_that_two_mounts_show_is_found_also_below_and_where_it_does_not_exist() {
        let base = Path::new("/nowhere");
        let problems = |checkpoints, sinks: &[&str]| {
            problems_with(checkpoints, sinks, base, bind_mounted).join("\n")
        };
        for name in ["out", "out/deeper", "new", "new/er"] {
            let sinks = [format!("real/{name}"), format!("mounted/{name}")];
            let found = problems("state", &[&sinks[0], &sinks[1]]);
            let told = format!(
                "sink `s1` has the same `directory` as sink `s0`: /nowhere/mounted/{name}, which \
                 is also /nowhere/real/{name}"
            );
            assert_eq!(found, told);
        }
        assert_eq!(problems("state", &["real/out", "mounted/new", "real"]), "");
        for (checkpoints, sink) in [
            ("real/state", "mounted/state/out"),
            ("mounted/state", "real"),
            ("real/out/state", "mounted/out"),
        ] {
            let found = problems(checkpoints, &[sink]);
            assert!(found.contains("the checkpoint directory"), "{found}");
        }
        assert_eq!(problems("real/out/.state", &["mounted/out"]), "");
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
