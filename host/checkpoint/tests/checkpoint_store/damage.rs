//! Any changed, missing, truncated or misplaced byte is found, and never taken for an empty state.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use tempfile::{TempDir, tempdir};
use tidegate_checkpoint::{CheckpointDirectory, CheckpointStore, DirStore, StoreError};
use tidegate_connector::CheckpointId;

use crate::support::{copy_tree, ids, reason_of, take, tree};

/// Returns a directory with the given checkpoints.
fn checkpoints(numbers: impl IntoIterator<Item = u64>) -> TempDir {
    let directory = tempdir().unwrap();
    let store = DirStore::open(directory.path()).unwrap();
    for number in numbers {
        take(&store, number, 1).unwrap();
    }
    directory
}

fn load(directory: &Path, checkpoint: u64) -> Result<(), StoreError> {
    let directory = CheckpointDirectory::open(directory)?;
    directory.load(CheckpointId(checkpoint)).map(drop)
}

/// Writes every one of `damaged` in turn and checks that each is found in that file.
fn assert_all_found(directory: &Path, file: &str, damaged: impl Iterator<Item = Vec<u8>>) {
    let path = directory.join(file);
    let whole = fs::read(&path).unwrap();
    let mut count = 0;
    for bytes in damaged {
        fs::write(&path, &bytes).unwrap();
        match load(directory, 1) {
            Err(StoreError::Corrupt { file, .. } | StoreError::NewerFormat { file, .. }) => {
                assert_eq!(file, path);
            }
            other => panic!("damage {count} gives {other:?}"),
        }
        count += 1;
    }
    assert!(count > 0, "there was damage to find");
    fs::write(&path, whole).unwrap();
    load(directory, 1).unwrap();
}

fn bit_flips(whole: Vec<u8>) -> impl Iterator<Item = Vec<u8>> {
    (0..whole.len() * 8).map(move |bit| {
        let mut bytes = whole.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        bytes
    })
}

fn truncations(whole: Vec<u8>) -> impl Iterator<Item = Vec<u8>> {
    (0..whole.len()).map(move |length| whole[..length].to_vec())
}

fn additions(whole: Vec<u8>) -> impl Iterator<Item = Vec<u8>> {
    [vec![0], vec![0xff; 100], whole.clone()]
        .into_iter()
        .map(move |added| {
            let mut bytes = whole.clone();
            bytes.extend(added);
            bytes
        })
}

const FILES: [&str; 2] = ["checkpoints/1", "state/1-count-1-1"];

#[test]
fn every_flipped_bit_is_found() {
    let directory = checkpoints([1]);
    for file in FILES {
        let whole = fs::read(directory.path().join(file)).unwrap();
        assert_all_found(directory.path(), file, bit_flips(whole));
    }
}

#[test]
fn every_truncation_is_found() {
    let directory = checkpoints([1]);
    for file in FILES {
        let whole = fs::read(directory.path().join(file)).unwrap();
        assert_all_found(directory.path(), file, truncations(whole));
    }
}

#[test]
fn trailing_bytes_are_found() {
    let directory = checkpoints([1]);
    for file in FILES {
        let whole = fs::read(directory.path().join(file)).unwrap();
        assert_all_found(directory.path(), file, additions(whole));
    }
}

#[test]
fn a_missing_file_is_named() {
    for file in FILES {
        let directory = checkpoints([1]);
        let path = directory.path().join(file);
        fs::remove_file(&path).unwrap();
        let error = load(directory.path(), 1).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("{} can't be used: it is missing", path.display())
        );
    }
}

#[test]
fn files_in_one_anothers_places_are_found() {
    let directory = checkpoints([1, 2]);
    let store = DirStore::open(directory.path()).unwrap();
    take(&store, 3, store.next_attempt().unwrap()).unwrap();
    drop(store);
    let files: Vec<PathBuf> = tree(directory.path()).into_keys().collect();
    assert_eq!(files.len(), 12);
    for (i, a) in files.iter().enumerate() {
        for b in &files[i + 1..] {
            let copy = tempdir().unwrap();
            copy_tree(directory.path(), copy.path());
            fs::copy(directory.path().join(a), copy.path().join(b)).unwrap();
            fs::copy(directory.path().join(b), copy.path().join(a)).unwrap();
            let broken = (1..=3).filter(|id| load(copy.path(), *id).is_err()).count();
            assert!(broken > 0, "{} and {}", a.display(), b.display());
        }
    }
}

#[test]
fn a_file_of_another_job_is_found_even_with_the_right_name_length_and_digest() {
    use tidegate_checkpoint::{Manifest, SnapshotContents};

    use crate::support::{chunks, entry, identity, subtask};

    let count = subtask("count", 1);
    let mut foreign = identity(1, 1, &count);
    foreign.job = "word-sum!!".to_owned();
    let mut forked = identity(1, 1, &count);
    forked.lineage.0[3] ^= 1;
    let mut later = identity(2, 1, &count);
    later.attempt = 9;
    for identity in [foreign, forked, later, identity(1, 1, &subtask("count", 0))] {
        let directory = checkpoints([1]);
        let other = tempdir().unwrap();
        let store = DirStore::open(other.path()).unwrap();
        let file = store.put_snapshot(&identity, &chunks(1, &count)).unwrap();
        let from = other.path().join("state").join(&file.name);
        fs::copy(from, directory.path().join("state/1-count-1-1")).unwrap();

        let manifest = directory.path().join("checkpoints/1");
        let mut forged = Manifest::decode(&fs::read(&manifest).unwrap()).unwrap();
        let contents = &mut entry(&mut forged, "count", 1).contents;
        let SnapshotContents::Operator { state: Some(state) } = contents else {
            panic!("count[1] has state");
        };
        (state.length, state.digest) = (file.length, file.digest);
        fs::write(&manifest, forged.encode().unwrap()).unwrap();

        let reason = reason_of(load(directory.path(), 1).unwrap_err());
        assert!(reason.starts_with("it belongs to "), "{reason}");
    }
}

#[test]
fn a_manifest_under_another_number_is_found() {
    let directory = checkpoints([1]);
    let checkpoints = directory.path().join("checkpoints");
    fs::rename(checkpoints.join("1"), checkpoints.join("2")).unwrap();
    let reason = reason_of(load(directory.path(), 2).unwrap_err());
    assert_eq!(reason, "it is the manifest of checkpoint 1");
}

#[test]
fn a_newer_format_is_refused_by_naming_both_versions() {
    let directory = checkpoints([1]);
    for file in FILES {
        let copy = tempdir().unwrap();
        copy_tree(directory.path(), copy.path());
        let path = copy.path().join(file);
        let mut bytes = fs::read(&path).unwrap();
        bytes[8] = 2;
        fs::write(&path, &bytes).unwrap();
        let error = load(copy.path(), 1).unwrap_err();
        if file.starts_with("checkpoints") {
            let versions = "has format version 2; this version of tidegate reads up to 1";
            assert_eq!(error.to_string(), format!("{} {versions}", path.display()));
        } else {
            // The manifest holds the digest of the original bytes.
            assert!(reason_of(error).contains("digest"));
        }
    }
}

#[test]
fn an_older_checkpoint_is_not_used_silently() {
    let directory = checkpoints([1, 2]);
    fs::write(directory.path().join("checkpoints/2"), "").unwrap();
    let store = DirStore::open(directory.path()).unwrap();
    assert_eq!(store.list().unwrap(), ids([1, 2]));
    reason_of(store.load(CheckpointId(2)).unwrap_err());
    store.load(CheckpointId(1)).unwrap();
}

#[test]
fn a_broken_manifest_that_is_kept_protects_its_files() {
    let directory = checkpoints([1, 2]);
    let manifest = directory.path().join("checkpoints/2");
    let whole = fs::read(&manifest).unwrap();
    fs::write(&manifest, "").unwrap();
    DirStore::open(directory.path())
        .unwrap()
        .retain(&ids([2]))
        .unwrap();
    fs::write(&manifest, whole).unwrap();
    load(directory.path(), 2).unwrap();
}

#[test]
fn links_and_other_kinds_of_files_are_not_followed_or_opened() {
    let directory = checkpoints([1]);
    for file in FILES {
        let outside = tempdir().unwrap();
        let path = directory.path().join(file);
        let elsewhere = outside.path().join("whole");
        fs::rename(&path, &elsewhere).unwrap();

        symlink(&elsewhere, &path).unwrap();
        let reason = reason_of(load(directory.path(), 1).unwrap_err());
        assert_eq!(reason, "it is not a regular file");

        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        let reason = reason_of(load(directory.path(), 1).unwrap_err());
        assert_eq!(reason, "it is not a regular file");

        fs::remove_dir(&path).unwrap();
        fs::rename(&elsewhere, &path).unwrap();
        load(directory.path(), 1).unwrap();
    }
}

#[test]
fn a_directory_that_is_a_link_is_not_followed() {
    for name in ["state", "checkpoints"] {
        let directory = checkpoints([1]);
        let outside = tempdir().unwrap();
        let moved = outside.path().join(name);
        fs::rename(directory.path().join(name), &moved).unwrap();
        symlink(&moved, directory.path().join(name)).unwrap();

        let opened = DirStore::open(directory.path());
        assert!(matches!(opened, Err(StoreError::Io { .. })), "{opened:?}");
        let opened = CheckpointDirectory::open(directory.path());
        assert!(matches!(opened, Err(StoreError::Io { .. })), "{opened:?}");
    }
}

#[test]
fn a_lock_file_that_is_a_link_is_not_followed() {
    let directory = tempdir().unwrap();
    let outside = tempdir().unwrap();
    let victim = outside.path().join("victim");
    fs::write(&victim, "precious").unwrap();
    symlink(&victim, directory.path().join("LOCK")).unwrap();
    reason_of(DirStore::open(directory.path()).unwrap_err());
    assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
}
