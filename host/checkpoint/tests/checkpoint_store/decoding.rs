//! Decoding takes any bytes: it never panics, and the size of its input bounds its memory.

use proptest::collection::vec;
use proptest::prelude::*;
use tidegate_checkpoint::{CheckpointStore, DirStore, FormatError, SnapshotContents};
use tidegate_connector::source::SourceSplit;
use tidegate_operator::StateChunk;

use crate::support::measured::{body, decode, peak_memory, with_valid_frame};
use crate::support::{entry, identity, manifest, subtask};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn random_bytes_are_refused(bytes in vec(any::<u8>(), 0..300)) {
        decode(&bytes).unwrap_err();
    }

    #[test]
    fn random_bodies_with_a_valid_digest_are_refused(body in vec(any::<u8>(), 0..300)) {
        decode(&with_valid_frame(&body)).unwrap_err();
    }

    #[test]
    fn mutated_bodies_with_a_valid_digest_do_no_harm(
        mutations in vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<prop::sample::Index>(),
        is_cut: bool,
    ) {
        let mut body = body();
        for (at, byte) in mutations {
            let at = at.index(body.len());
            body[at] = byte;
        }
        if is_cut {
            body.truncate(cut.index(body.len()));
        }
        // Some mutations are valid manifests, of another time or position; most are not.
        let _ = decode(&with_valid_frame(&body));
    }

    #[test]
    fn spliced_bodies_with_a_valid_digest_do_no_harm(
        at in any::<prop::sample::Index>(),
        inserted in vec(any::<u8>(), 1..20),
        removed in 0usize..20,
    ) {
        let mut body = body();
        let at = at.index(body.len());
        let end = (at + removed).min(body.len());
        body.splice(at..end, inserted);
        let _ = decode(&with_valid_frame(&body));
    }
}

#[test]
fn a_length_that_lies_allocates_nothing() {
    // The graph's node count, behind everything of fixed size and the job's name.
    let body = body();
    let job = body
        .windows(10)
        .position(|text| text == b"word-count")
        .unwrap();
    let nodes = job + 10 + 2;
    assert_eq!(body[nodes], 4, "here stands the number of nodes");
    let huge = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
    let mut lying = body;
    lying.splice(nodes..=nodes, huge);
    decode(&with_valid_frame(&lying)).unwrap_err();
}

#[test]
fn many_small_entries_take_memory_in_proportion() {
    let mut manifest = manifest(1, 1);
    let empty = SourceSplit {
        name: String::new(),
        position: Vec::new(),
    };
    entry(&mut manifest, "lines", 0).contents = SnapshotContents::Source {
        splits: vec![empty; 1 << 20],
    };
    decode(&manifest.encode().unwrap()).unwrap();
}

#[test]
fn state_takes_memory_in_proportion() {
    let directory = tempfile::tempdir().unwrap();
    let store = DirStore::open(directory.path()).unwrap();
    let count = subtask("count", 0);
    let smallest = StateChunk {
        name: String::new(),
        schema_version: 0,
        key_group: None,
        bytes: Vec::new(),
    };
    let chunks = vec![smallest; 1 << 16];
    let file = store
        .put_snapshot(&identity(1, 1, &count), &chunks)
        .unwrap();
    let (state, peak) = peak_memory(|| store.read_state(&manifest(1, 1), &count, &file));
    assert_eq!(state.unwrap(), chunks);
    let length = usize::try_from(file.length).unwrap();
    assert!(
        peak <= 3 * length + (1 << 20),
        "{peak} bytes of memory for {length} bytes"
    );
}

#[test]
fn a_body_with_more_behind_it_is_refused() {
    let mut body = body();
    body.push(0);
    let refused = decode(&with_valid_frame(&body));
    assert_eq!(refused, Err(FormatError::TrailingBytes { count: 1 }));
}

#[test]
fn a_version_that_never_was_is_refused() {
    let mut bytes = with_valid_frame(&body());
    bytes[8] = 0;
    let (what, found) = ("manifest", 0);
    assert_eq!(
        decode(&bytes),
        Err(FormatError::UnknownVersion { what, found })
    );
}
