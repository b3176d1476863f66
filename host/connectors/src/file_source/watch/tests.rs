//! Tests of `watch`.

use super::*;
use std::time::Duration;

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

fn file(identity: u64, length: u64, modified: u64) -> Found {
    Found {
        is_file: true,
        is_directory: false,
        length,
        modified: Some(at(modified)),
        changed: (i64::try_from(modified).expect("a small number"), 0),
        identity: (0, identity),
    }
}

#[test]
fn a_file_that_is_appended_to_is_no_surprise_and_one_that_is_written_to_is_told_each_time() {
    let mut watch = FileWatch::new(file(1, 100, 1), at(9));
    let mut look = |open| watch.look(open, Some(open), at(9)).changes;
    assert_eq!(look(file(1, 100, 1)), []);
    assert_eq!(look(file(1, 110, 2)), []);
    assert_eq!(look(file(1, 110, 3)), [Change::Written]);
    assert_eq!(look(file(1, 110, 3)), []);
    assert_eq!(look(file(1, 110, 2)), [Change::Written]);
}

#[test]
fn a_file_that_has_lost_its_name_is_told_once() {
    let open = file(1, 100, 1);
    let told = |watch: &mut FileWatch, named| watch.look(open, named, at(9)).changes;
    let mut watch = FileWatch::new(open, at(9));
    assert_eq!(told(&mut watch, Some(file(2, 100, 1))), [Change::Replaced]);
    assert_eq!(told(&mut watch, None), []);
    let mut watch = FileWatch::new(open, at(9));
    assert_eq!(told(&mut watch, None), [Change::Gone]);
    assert_eq!(told(&mut watch, Some(open)), []);
}

/// Returns the bytes to compare of a file that was `seen` at a second, and is now `found`.
fn compared(seen: (Found, u64), found: Found) -> Compare {
    let mut watch = FileWatch::new(seen.0, at(seen.1));
    watch.look(found, Some(found), at(100)).compare
}

#[test]
fn times_that_stand_still_are_believed_once_they_are_old() {
    let open = file(1, 100, 10);
    assert_eq!(compared((open, 13), open), Compare::Ends);
    // A second change may have come within a tick of the clock.
    assert_eq!(compared((open, 12), open), Compare::Everything);
    assert_eq!(compared((open, 9), open), Compare::Everything);
}

#[test]
fn any_change_of_times_or_length_has_more_compared() {
    let open = file(1, 100, 10);
    let set_back = Found {
        changed: (11, 0),
        ..open
    };
    let within_a_second = Found {
        changed: (10, 4_000_000),
        ..open
    };
    for (found, compare) in [
        (file(1, 100, 11), Compare::Everything),
        (set_back, Compare::Everything),
        (within_a_second, Compare::Everything),
        (file(1, 99, 10), Compare::Everything),
        (file(1, 101, 11), Compare::SinceLastLook),
        (file(1, 101, 10), Compare::SinceLastLook),
    ] {
        assert_eq!(compared((open, 20), found), compare, "{found:?}");
    }
}
