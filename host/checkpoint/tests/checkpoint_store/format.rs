//! Files of a released version can be read for ever, and are written the same way.
//!
//! `TIDEGATE_WRITE_FIXTURES=1` rewrites the fixture of the current format version, which is right
//! only before that version is released.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::tempdir;
use tidegate_checkpoint::{
    CheckpointDirectory, CheckpointKind, CheckpointStore, DirStore, Manifest, Origin,
    SnapshotContents, StoreError,
};
use tidegate_connector::CheckpointId;
use tidegate_operator::StateChunk;

use crate::support::{LINEAGE, entry, identity, manifest, subtask, tree};

fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/checkpoint-v1")
}

/// Returns state with every field that a chunk can have.
fn state() -> Vec<StateChunk> {
    let chunk = |name: &str, schema_version, key_group, bytes: &[u8]| StateChunk {
        name: name.to_owned(),
        schema_version,
        key_group,
        bytes: bytes.to_vec(),
    };
    vec![
        chunk("counts", 1, Some(0), b"zero"),
        chunk("counts", 1, Some(127), &[0x00, 0xff, 0x80]),
        chunk("Gr\u{fc}\u{df}e", u32::MAX, None, b""),
    ]
}

/// Writes a checkpoint with every field that a manifest can have to `directory`.
fn write(directory: &Path) -> Result<Manifest, StoreError> {
    let store = DirStore::open(directory)?;
    let mut manifest = manifest(300, 2);
    manifest.origin = Some(Origin {
        lineage: LINEAGE,
        checkpoint: CheckpointId(i64::MAX.unsigned_abs()),
        digest: [0xd1; 32],
    });
    manifest.kind = CheckpointKind::Final;
    entry(&mut manifest, "lines", 0).has_ended = true;
    entry(&mut manifest, "lines", 0).watermark = Some(i64::MAX);
    entry(&mut manifest, "count", 0).watermark = Some(-1);
    let of_count = subtask("count", 1);
    let file = store.put_snapshot(&identity(300, 2, &of_count), &state())?;
    entry(&mut manifest, "count", 1).contents = SnapshotContents::Operator { state: Some(file) };
    store.complete(&manifest)?;
    Ok(manifest)
}

#[test]
fn version_1_is_written_to_the_byte() {
    let directory = tempdir().unwrap();
    write(directory.path()).unwrap();
    let written = tree(directory.path());
    if std::env::var_os("TIDEGATE_WRITE_FIXTURES").is_some() {
        let _ = fs::remove_dir_all(fixture());
        for (path, bytes) in &written {
            let path = fixture().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
    }
    assert_eq!(written, tree(&fixture()));
}

#[test]
fn version_1_can_be_restored() {
    let directory = tempdir().unwrap();
    let expected = write(directory.path()).unwrap();
    let old = CheckpointDirectory::open(&fixture()).unwrap();
    let manifest = old.load(old.newest().unwrap()).unwrap();
    assert_eq!(manifest, expected);
    let (subtask, file) = manifest.state_files().next().unwrap();
    assert_eq!(old.read_state(&manifest, subtask, file).unwrap(), state());
}

#[test]
fn the_fields_stand_where_the_format_document_says() {
    let bytes = fs::read(fixture().join("state/300-count-1-2")).unwrap();
    let u32_at = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
    let u64_at = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap());
    assert_eq!(&bytes[..8], b"TGSTATE\0");
    assert_eq!(u32_at(8), 1, "version");
    assert_eq!(bytes[12..28], LINEAGE.0);
    assert_eq!((u64_at(28), u64_at(36)), (300, 2), "checkpoint, attempt");
    assert_eq!((u32_at(44), u32_at(48)), (1, 3), "subtask, chunks");
    assert_eq!((u32_at(52), &bytes[56..66]), (10, &b"word-count"[..]));
    assert_eq!((u32_at(66), &bytes[70..75]), (5, &b"count"[..]));

    let second = 75 + 32 + 5 + 6 + 4;
    assert_eq!(&bytes[second..second + 4], b"TGCH");
    assert_eq!(
        (u32_at(second + 4), u32_at(second + 8)),
        (1, 1),
        "version, schema version"
    );
    assert_eq!(u32_at(second + 12), 127, "key group");
    assert_eq!(
        (u32_at(second + 16), u32_at(second + 20)),
        (5, 6),
        "lengths of names"
    );
    assert_eq!(u64_at(second + 24), 3, "length");
    assert_eq!(&bytes[second + 32..second + 46], b"countcounts\x00\xff\x80");
    assert_eq!(u32_at(second + 46 + 12), u32::MAX, "no key group");

    let bytes = fs::read(fixture().join("checkpoints/300")).unwrap();
    assert_eq!(&bytes[..12], b"TGCHKPT\0\x01\0\0\0");
    let length = u64::from_le_bytes(bytes[12..20].try_into().unwrap());
    assert_eq!(length + 52, bytes.len() as u64);
    let (covered, digest) = bytes.split_at(bytes.len() - 32);
    assert_eq!(blake3::hash(covered).as_bytes(), digest);
    // 300 as a varint, then the lineage.
    assert_eq!(&bytes[20..22], &[0xac, 0x02]);
    assert_eq!(bytes[22..38], LINEAGE.0);
}
