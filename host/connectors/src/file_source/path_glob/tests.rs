//! Tests of `path_glob`.

use super::*;

#[test]
fn a_root_is_the_same_however_it_is_spelled() {
    for (path, root) in [
        ("*", ""),
        ("./*", ""),
        (".//./*", ""),
        ("in/*", "in"),
        ("./in//./*", "in"),
        ("in/../in/*", "in/../in"),
        ("/*", "/"),
        ("//in/./*", "/in"),
    ] {
        let glob = Glob::parse(path).expect("is a glob");
        assert_eq!(glob.root(), root, "{path}");
        let name = glob.name_of("deep/a");
        assert_eq!(glob.relative(&name), Some("deep/a"), "{path}");
    }
    let glob = Glob::parse("*").expect("is a glob");
    assert_eq!(glob.relative("/in/a"), None);
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
