//! The folders of a crate stand on floors: no two of them use each other. The test reads the names
//! after `crate::`, but not those in tests.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::project::project_files;

/// The crates that keep the rule.
const CRATES: [&str; 12] = [
    "host/key-groups",
    "host/file-system",
    "host/operator",
    "host/connector",
    "host/checkpoint",
    "host/runtime",
    "host/connectors",
    "host/job-file",
    "host/authoring",
    "host/cli",
    "guest-sdk/rust",
    "tests/simulation",
];

/// Returns the room of a path within `src/`: its folder, or the file itself if it is in no folder.
fn room(path: &Path) -> String {
    let first = path.components().next().expect("a file has a name");
    let first = first.as_os_str().to_string_lossy();
    first.strip_suffix(".rs").unwrap_or(&first).to_owned()
}

/// Returns the names after `crate::` in code: `a` of `crate::a::B`, `a` and `C` of
/// `crate::{a::B, C}`.
fn names(text: &str) -> BTreeSet<String> {
    let code: String = text
        .split("\n#[cfg(test)]\nmod tests {")
        .next()
        .unwrap_or_default()
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .flat_map(|line| [line, "\n"])
        .collect();
    let word = |text: &str| {
        let text = text.trim_start();
        let is_letter = |c: char| c.is_ascii_alphanumeric() || c == '_';
        text[..text.find(|c| !is_letter(c)).unwrap_or(text.len())].to_owned()
    };
    let mut found = BTreeSet::new();
    for after in code.split("crate::").skip(1) {
        match after.strip_prefix('{') {
            None => drop(found.insert(word(after))),
            Some(list) => {
                let end = list.find("};").expect("a list of imports is closed");
                let mut depth = 0;
                let names = list[..end].split_inclusive(['{', '}', ',']);
                for name in names {
                    if depth == 0 {
                        found.insert(word(name));
                    }
                    depth += i32::from(name.ends_with('{')) - i32::from(name.ends_with('}'));
                }
            }
        }
    }
    found
}

/// Returns the rooms of the names at the crate's root, by the `pub use` items there.
fn reexports(lib: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for statement in lib.split(';') {
        let Some((_, path)) = statement.split_once("pub use ") else {
            continue;
        };
        let (room, names) = path.split_once("::").unwrap_or((path, ""));
        for name in names.split(['{', '}', ',', ':', ' ', '\n']) {
            found.insert(name.to_owned(), room.to_owned());
        }
    }
    found
}

/// Returns the pairs of rooms that use each other, each with a file of the first that uses the
/// second.
fn pairs(files: &[(String, String)]) -> Vec<String> {
    let is_root = |path: &str| path == "lib.rs" || path == "main.rs";
    let root = files.iter().find(|(path, _)| is_root(path));
    let reexports = reexports(&root.expect("a crate has a root").1);
    let rooms: BTreeSet<String> = files.iter().map(|(p, _)| room(Path::new(p))).collect();
    let mut uses = BTreeMap::new();
    for (path, text) in files.iter().filter(|(path, _)| !is_root(path)) {
        let user = room(Path::new(path));
        for name in names(text) {
            let used = reexports.get(&name).unwrap_or(&name);
            if *used != user && rooms.contains(used) {
                uses.insert((user.clone(), used.clone()), path);
            }
        }
    }
    let is_mutual = |(a, b): &(String, String)| uses.contains_key(&(b.clone(), a.clone()));
    let mutual = uses.iter().filter(|(pair, _)| is_mutual(pair));
    mutual
        .map(|((a, b), path)| format!("{a} and {b} use each other, as in {path}"))
        .collect()
}

#[test]
fn no_two_folders_of_a_crate_use_each_other() {
    let all = project_files("rs");
    for name in CRATES {
        let src = format!("{name}/src/");
        let of_crate = |(path, text): &(String, String)| {
            let path = path.strip_prefix(&src)?;
            Some((path.to_owned(), text.clone()))
        };
        let files: Vec<_> = all.iter().filter_map(of_crate).collect();
        assert!(!files.is_empty(), "{name} has no files");
        assert_eq!(pairs(&files), Vec::<String>::new(), "{name}");
    }
}

#[test]
fn a_pair_is_seen_through_lists_and_names_of_the_root() {
    let file = |path: &str, text: &str| (path.to_owned(), text.to_owned());
    let files = [
        file("lib.rs", "mod a;\nmod b;\npub use a::{A, Other};\n"),
        file("a/x.rs", "use crate::{\n    b::{B, C},\n    Id,\n};\n"),
        file(
            "b.rs",
            "// crate::c\nuse crate::Other;\n\n#[cfg(test)]\nmod tests {\n}\n",
        ),
        file("c.rs", "use crate::b::B;\n"),
    ];
    assert_eq!(
        pairs(&files),
        [
            "a and b use each other, as in a/x.rs",
            "b and a use each other, as in b.rs"
        ]
    );
}
