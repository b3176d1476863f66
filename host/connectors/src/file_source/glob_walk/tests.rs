//! Tests of `glob_walk`.

use std::path::Path;

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
    let matches = glob.files(&root, usize::MAX, Unusable::Refused);
    let files = matches.expect("can be listed").files;
    for name in &files {
        let relative = glob.relative(name).expect("is below the root");
        assert!(root.open_file(relative).is_ok(), "{name} can be opened");
    }
    for file in tree {
        let Ok(relative) = Path::new(file).strip_prefix(glob.root()) else {
            continue;
        };
        let is_found = files.iter().any(|name| name == file);
        assert_eq!(
            glob.matches(relative),
            is_found,
            "{file} by {}",
            glob.text()
        );
    }
    files.into_iter().collect()
}

#[test]
fn wildcards_match_in_names_and_directories_and_never_a_leading_dot() {
    assert_eq!(matches("a.txt"), ["a.txt"]);
    assert_eq!(matches("*.txt"), ["a.txt"]);
    assert_eq!(matches("./*"), ["a.txt", "b.csv"]);
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
