//! Tests of `sources`.

use proptest::prelude::*;

use super::*;

fn map() -> SourceMap {
    SourceMap {
        version: 3,
        file: "total.js".to_owned(),
        sources: vec!["src/total.js".to_owned()],
        mappings: "AAAA".to_owned(),
    }
}

#[test]
fn the_section_is_read_as_it_was_written() {
    let root = SourceRoot {
        prefix: "/1/".to_owned(),
        folder: "src/".to_owned(),
    };
    for sources in [Sources::at(root), Sources::bundled(map())] {
        let section = SourcesSection(sources.to_section().expect("it is short"));
        assert_eq!(section.read(), Some(sources));
    }
}

#[test]
fn a_section_of_another_version_is_not_read() {
    for text in [r#"{"version":2}"#, r#"{"version":1"#, "[]", ""] {
        assert_eq!(SourcesSection(text.into()).read(), None, "{text}");
    }
}

#[test]
fn a_map_that_is_too_long_has_no_section() {
    let mut map = map();
    map.mappings = "A".repeat(Sources::MOST_BYTES);
    assert_eq!(Sources::bundled(map).to_section(), None);
}

#[test]
fn files_of_others_are_not_the_authors_own() {
    let root = SourceRoot {
        prefix: "example.com/total/".to_owned(),
        folder: String::new(),
    };
    let (root, map) = (Sources::at(root), Sources::bundled(map()));
    let own = |sources: &Sources, file| sources.own(file);
    assert_eq!(
        own(&root, "example.com/total/a/b.go"),
        Some("a/b.go".into())
    );
    assert_eq!(own(&root, "example.com/other/b.go"), None);
    assert_eq!(own(&map, "src/total.js"), Some("src/total.js".into()));
    assert_eq!(own(&map, "@tidegate/sdk/src/typed.js"), None);
    assert_eq!(own(&map, "../node_modules/left-pad/index.js"), None);
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_read_or_not_without_a_panic(bytes: Vec<u8>, text in ".{0,200}") {
        drop(SourcesSection(bytes).read());
        drop(SourcesSection(text.into_bytes()).read());
    }
}
