//! Tests of `state_file`.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use tidegate_connector::{CheckpointId, Lineage, SubtaskId};

fn identity() -> StateIdentity {
    StateIdentity {
        job: "job".to_owned(),
        lineage: Lineage([9; 16]),
        attempt: 2,
        checkpoint: CheckpointId(7),
        subtask: SubtaskId {
            operator: "count".to_owned(),
            index: 1,
        },
    }
}

fn encode(chunks: &[StateChunk]) -> Vec<u8> {
    let mut bytes = Vec::new();
    write(&mut bytes, &identity(), chunks).expect("memory takes everything");
    bytes
}

fn two_chunks() -> Vec<u8> {
    let chunk = |key_group| StateChunk {
        name: "counts".to_owned(),
        schema_version: 1,
        key_group,
        bytes: vec![1, 2, 3],
    };
    encode(&[chunk(Some(5)), chunk(None)])
}

/// Returns the offset of the first chunk.
const CHUNK: usize = 56 + 3 + 4 + 5;

fn any_chunk() -> impl Strategy<Value = StateChunk> {
    let key_group = prop::option::of(0..MAX_KEY_GROUPS);
    let fields = (".{0,8}", any::<u32>(), key_group, vec(any::<u8>(), 0..40));
    fields.prop_map(|(name, schema_version, key_group, bytes)| StateChunk {
        name,
        schema_version,
        key_group,
        bytes,
    })
}

proptest! {
    #[test]
    fn chunks_come_back_as_they_were(chunks in vec(any_chunk(), 0..8)) {
        prop_assert_eq!(decode(&encode(&chunks), &identity()), Ok(chunks));
    }

    #[test]
    fn what_can_be_decoded_is_what_would_be_written(
        mutations in vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut bytes = two_chunks();
        for (at, byte) in mutations {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Ok(chunks) = decode(&bytes, &identity()) {
            prop_assert_eq!(encode(&chunks), bytes);
        }
    }

    #[test]
    fn random_bytes_are_refused(bytes in vec(any::<u8>(), 0..300)) {
        decode(&bytes, &identity()).unwrap_err();
    }

    #[test]
    fn random_bytes_behind_a_valid_header_are_refused(bytes in vec(any::<u8>(), 1..300)) {
        let mut file = two_chunks();
        file.truncate(CHUNK);
        file.extend(bytes);
        decode(&file, &identity()).unwrap_err();
    }
}

#[test]
fn every_truncation_is_found_without_a_digest() {
    let bytes = two_chunks();
    for length in 0..bytes.len() {
        let result = check(&bytes[..length], &identity());
        assert!(
            matches!(result, Err(FormatError::Truncated { .. })),
            "{result:?}"
        );
    }
}

#[test]
fn trailing_bytes_are_found_without_a_digest() {
    let mut bytes = two_chunks();
    bytes.push(0);
    let result = check(&bytes, &identity());
    assert_eq!(result, Err(FormatError::TrailingBytes { count: 1 }));
}

#[test]
fn a_newer_chunk_is_refused_by_its_version() {
    let mut bytes = two_chunks();
    bytes[CHUNK + 4] = 2;
    let newer = FormatError::NewerVersion {
        what: "chunk",
        found: 2,
        supported: 1,
    };
    assert_eq!(check(&bytes, &identity()), Err(newer));
}

#[test]
fn a_chunk_of_another_operator_or_key_group_is_refused() {
    let mut bytes = two_chunks();
    bytes[CHUNK + 32] = b'm';
    let result = check(&bytes, &identity());
    assert!(
        matches!(result, Err(FormatError::WrongIdentity { .. })),
        "{result:?}"
    );

    let mut bytes = two_chunks();
    bytes[CHUNK + 13] = 0x80;
    let result = check(&bytes, &identity());
    assert!(
        matches!(result, Err(FormatError::KeyGroup { .. })),
        "{result:?}"
    );
}
/// Fuzz target `state`: the header that is expected is fixed, everything may be broken.
#[test]
fn fuzz_state() {
    tidegate_fuzz::Target::new("state", 20_000)
        .seed(two_chunks())
        .seed(encode(&[]))
        .words([MAGIC.as_slice(), CHUNK_MAGIC, b"count", &[0xff; 4]])
        .run(|input| {
            let checked = check(input, &identity());
            let decoded = decode(input, &identity());
            assert_eq!(checked.is_ok(), decoded.is_ok());
            let mut features = vec![tidegate_fuzz::shape(&decoded.as_ref().err())];
            if let Ok(chunks) = &decoded {
                assert_eq!(encode(chunks), input);
                let keyed = chunks.iter().filter(|chunk| chunk.key_group.is_some());
                features.push(format!("{} keyed of {}", keyed.count(), chunks.len()));
            }
            features
        });
}
