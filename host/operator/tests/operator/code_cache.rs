//! Compiled components on disk: used if this installation wrote them, otherwise recompiled.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use tidegate_operator::{CodeCache, CodeCacheError, Component, Engine, GuestCall};

use crate::support::guest::Guest;
use crate::support::{ENGINE, context, make, patient};

/// A cache in its own directory.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a directory"))
    }

    fn code(&self) -> PathBuf {
        self.0.path().join("cache/code")
    }

    fn key(&self) -> PathBuf {
        self.0.path().join("state/tidegate/key")
    }

    fn open(&self) -> Result<CodeCache, CodeCacheError> {
        CodeCache::open(&self.code(), &self.key())
    }

    fn cache(&self) -> CodeCache {
        self.open().expect("it can be opened")
    }

    fn entries(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.code()).expect("it was made");
        entries
            .map(|entry| entry.expect("an entry").path())
            .collect()
    }

    fn only_entry(&self) -> PathBuf {
        let entries = self.entries();
        assert_eq!(entries.len(), 1, "{entries:?}");
        entries[0].clone()
    }
}

fn works(component: &Component) {
    let mut instance = component
        .instantiate(&context(), &patient())
        .expect("it opens");
    make(&mut instance, GuestCall::Process).expect("it processes");
}

fn load(engine: &Engine, bytes: &[u8], cache: &CodeCache) -> Component {
    Component::load_cached(engine, "guest.wasm", bytes, cache).expect("it loads")
}

fn modified(path: &Path) -> std::time::SystemTime {
    let metadata = fs::metadata(path).expect("it is there");
    metadata.modified().expect("files have a time")
}

#[test]
fn what_was_compiled_is_used_by_the_next_process() {
    let place = Place::new();
    let bytes = Guest::echo().component();
    works(&load(&ENGINE, &bytes, &place.cache()));
    let entry = place.only_entry();
    let written = fs::read(&entry).expect("it is there");
    let before = modified(&entry);

    // Another engine and another read of the key, as in another process.
    let engine = Engine::new().expect("an engine");
    let component = load(&engine, &bytes, &place.cache());
    works(&component);
    assert_eq!(component.digest(), *blake3::hash(&bytes).as_bytes());
    assert_eq!(fs::read(place.only_entry()).expect("it is there"), written);
    assert_eq!(modified(&entry), before, "it was not compiled again");
}

#[test]
fn no_changed_byte_is_ever_loaded() {
    let place = Place::new();
    let bytes = Guest::echo().component();
    load(&ENGINE, &bytes, &place.cache());
    let entry = place.only_entry();
    let genuine = fs::read(&entry).expect("it is there");
    // Every bit of the head, and bytes all over the code.
    let head = (0..36 * 8).map(|bit| (bit / 8, 1_u8 << (bit % 8)));
    let rest = (36..genuine.len())
        .step_by(genuine.len() / 50)
        .map(|at| (at, 0x10));
    for (at, bits) in head.chain(rest) {
        let mut changed = genuine.clone();
        changed[at] ^= bits;
        fs::write(&entry, &changed).expect("it can be changed");
        works(&load(&ENGINE, &bytes, &place.cache()));
        let mended = fs::read(place.only_entry()).expect("it is there");
        assert_eq!(mended.len(), genuine.len());
        assert_ne!(mended, changed, "byte {at} was not noticed");
    }
}

#[test]
fn no_truncated_entry_is_loaded() {
    let place = Place::new();
    let bytes = Guest::echo().component();
    load(&ENGINE, &bytes, &place.cache());
    let entry = place.only_entry();
    let genuine = fs::read(&entry).expect("it is there");
    for length in [0, 3, 4, 35, 36, 37, genuine.len() / 2, genuine.len() - 1] {
        fs::write(&entry, &genuine[..length]).expect("it can be cut");
        works(&load(&ENGINE, &bytes, &place.cache()));
        let mended = fs::metadata(place.only_entry()).expect("it is there");
        assert_eq!(mended.len(), genuine.len() as u64, "cut to {length}");
    }
}

#[test]
fn an_entry_under_another_name_or_of_another_installation_is_not_loaded() {
    let place = Place::new();
    let echo = Guest::echo().component();
    let other = Guest::echo().pages(3).component();
    assert_ne!(echo, other);
    load(&ENGINE, &echo, &place.cache());
    let of_echo = place.only_entry();
    let genuine = fs::read(&of_echo).expect("it is there");
    load(&ENGINE, &other, &place.cache());
    let of_other = place.entries().into_iter().find(|entry| *entry != of_echo);
    let of_other = of_other.expect("two components are two entries");
    let own = fs::read(&of_other).expect("it is there");
    fs::write(&of_other, &genuine).expect("it can be swapped");
    works(&load(&ENGINE, &other, &place.cache()));
    let mended = fs::read(&of_other).expect("it is there");
    assert_eq!(mended.len(), own.len());
    assert_ne!(mended, genuine, "an entry under another name was loaded");

    let elsewhere = Place::new();
    elsewhere.cache();
    let copy = elsewhere.code().join(of_echo.file_name().expect("a name"));
    fs::write(&copy, &genuine).expect("it can be copied");
    works(&load(&ENGINE, &echo, &elsewhere.cache()));
    let sealed = fs::read(&copy).expect("it is there");
    assert_ne!(
        sealed, genuine,
        "an entry of another installation was loaded"
    );
}

#[test]
fn what_others_could_change_is_not_used() {
    for open_to_others in ["code", "key"] {
        let place = Place::new();
        place.cache();
        let path = match open_to_others {
            "code" => place.code(),
            _ => place.key(),
        };
        fs::set_permissions(&path, Permissions::from_mode(0o720)).expect("it is ours");
        let error = place.open().expect_err("others can write there");
        assert!(matches!(&error, CodeCacheError::NotPrivate { path: named } if *named == path));
    }
}

#[test]
fn a_damaged_key_is_named() {
    let place = Place::new();
    place.cache();
    fs::write(place.key(), b"short").expect("it can be written");
    let error = place.open().expect_err("it is no key");
    assert!(matches!(error, CodeCacheError::NoKey { bytes: 5, .. }));
}

#[test]
fn a_refused_component_is_not_kept() {
    let place = Place::new();
    let cache = place.cache();
    let refused = Component::load_cached(&ENGINE, "x.wasm", b"\0asm", &cache);
    refused.expect_err("it is no component");
    assert_eq!(place.entries(), Vec::<PathBuf>::new());
}

#[test]
fn the_oldest_entries_go() {
    let place = Place::new();
    let cache = place.cache();
    for number in 0..150 {
        fs::write(place.code().join(format!("{number:03}")), b"").expect("a file");
    }
    load(&ENGINE, &Guest::echo().component(), &cache);
    assert_eq!(place.entries().len(), 100);
}
