//! Savepoints are whole and belong to the user; a job that starts from one begins a life of its
//! own.

use std::fs;
use std::path::Path;

use tempfile::tempdir;
use tidegate_checkpoint::{
    CheckpointDirectory, CheckpointKind, CheckpointStore, DirStore, FileProblem, ImportTarget,
    JobGraph, Origin, Partitioning, SnapshotContents, StoreError,
};
use tidegate_connector::{CheckpointId, Lineage};

use crate::support::{LINEAGE, assert_restorable, chunks, graph_of_job, ids, manifest, take, tree};

const TARGET: ImportTarget = ImportTarget {
    lineage: Lineage([7; 16]),
    checkpoint: CheckpointId(3),
    attempt: 2,
};

#[test]
fn a_savepoint_is_self_contained() {
    let directory = tempdir().unwrap();
    let store = DirStore::open(&directory.path().join("job")).unwrap();
    take(&store, 6, 4).unwrap();
    let written = take(&store, 7, 4).unwrap();
    let path = store
        .export(CheckpointId(7), &directory.path().join("new/place"))
        .unwrap();
    drop(store);
    fs::remove_dir_all(directory.path().join("job")).unwrap();

    assert_eq!(
        path,
        directory
            .path()
            .join("new/place/savepoint-word-count-7-6c696e65-4")
    );
    let savepoint = CheckpointDirectory::open(&path).unwrap();
    assert_eq!(savepoint.ids().unwrap(), ids([7]));
    assert_eq!(savepoint.newest().unwrap(), CheckpointId(7));
    assert_eq!(savepoint.load(CheckpointId(7)).unwrap(), written);
    assert_restorable(&savepoint, CheckpointId(7));
    let names: Vec<_> = tree(&path).into_keys().collect();
    let expected = [
        "checkpoints/7",
        "state/7-count-0-4",
        "state/7-count-1-4",
        "state/7-total-sum-0-4",
    ];
    assert_eq!(names, expected.map(std::path::PathBuf::from));
}

#[test]
fn the_name_of_a_job_does_not_lead_a_savepoint_elsewhere() {
    let directory = tempdir().unwrap();
    let store = DirStore::open(&directory.path().join("job")).unwrap();
    let mut odd = manifest(1, 1);
    odd.graph = graph_of_job("../../a b/ü");
    store.complete(&odd).unwrap();
    let path = store
        .export(CheckpointId(1), &directory.path().join("out"))
        .unwrap();
    assert_eq!(
        path,
        directory
            .path()
            .join("out/savepoint-______a_b__-1-6c696e65-1")
    );
}

#[test]
fn a_savepoint_is_not_written_over_another_one() {
    let directory = tempdir().unwrap();
    let store = DirStore::open(&directory.path().join("job")).unwrap();
    take(&store, 7, 1).unwrap();
    let savepoints = directory.path().join("savepoints");
    store.export(CheckpointId(7), &savepoints).unwrap();
    let before = tree(&savepoints);
    let again = store.export(CheckpointId(7), &savepoints);
    assert!(matches!(again, Err(StoreError::Io { .. })), "{again:?}");
    assert_eq!(tree(&savepoints), before);
}

#[test]
fn a_broken_checkpoint_is_not_exported() {
    let directory = tempdir().unwrap();
    let store = DirStore::open(&directory.path().join("job")).unwrap();
    take(&store, 7, 1).unwrap();
    fs::write(directory.path().join("job/state/7-count-0-1"), "x").unwrap();
    let savepoints = directory.path().join("savepoints");
    let exported = store.export(CheckpointId(7), &savepoints);
    assert!(
        matches!(exported, Err(StoreError::Corrupt { .. })),
        "{exported:?}"
    );
    assert!(!savepoints.exists());
}

#[test]
fn an_imported_savepoint_is_the_same_state_in_another_life() {
    let directory = tempdir().unwrap();
    let store = DirStore::open(&directory.path().join("job")).unwrap();
    let old = take(&store, 7, 4).unwrap();
    let path = store.export(CheckpointId(7), directory.path()).unwrap();
    let before = tree(&path);

    let savepoint = CheckpointDirectory::open(&path).unwrap();
    let other = DirStore::open(&directory.path().join("other")).unwrap();
    let new = other.import(&savepoint, CheckpointId(7), TARGET).unwrap();
    assert_eq!(other.list().unwrap(), ids([3]));
    assert_eq!(other.load(CheckpointId(3)).unwrap(), new);
    assert_eq!(tree(&path), before);

    let digest = *blake3::hash(&before[Path::new("checkpoints/7")]).as_bytes();
    assert_eq!(savepoint.manifest_digest(CheckpointId(7)).unwrap(), digest);
    let mut expected = old;
    expected.checkpoint = CheckpointId(3);
    expected.lineage = Lineage([7; 16]);
    expected.attempt = 2;
    expected.kind = CheckpointKind::Imported;
    expected.origin = Some(Origin {
        lineage: LINEAGE,
        checkpoint: CheckpointId(7),
        digest,
    });
    for (snapshot, new) in expected.subtasks.iter_mut().zip(&new.subtasks) {
        // Only the files differ: their headers name their new owner.
        if let SnapshotContents::Operator { state: Some(_) } = snapshot.contents {
            snapshot.contents = new.contents.clone();
        }
    }
    assert_eq!(new, expected);
    for (subtask, file) in new.state_files() {
        assert_eq!(
            other.read_state(&new, subtask, file).unwrap(),
            chunks(7, subtask)
        );
    }
}

#[test]
fn a_broken_savepoint_is_not_imported() {
    let directory = tempdir().unwrap();
    let store = DirStore::open(&directory.path().join("job")).unwrap();
    take(&store, 7, 4).unwrap();
    let path = store.export(CheckpointId(7), directory.path()).unwrap();
    fs::write(path.join("state/7-count-0-4"), "x").unwrap();

    let savepoint = CheckpointDirectory::open(&path).unwrap();
    let other = DirStore::open(&directory.path().join("other")).unwrap();
    let imported = other.import(&savepoint, CheckpointId(7), TARGET);
    assert!(
        matches!(imported, Err(StoreError::Corrupt { .. })),
        "{imported:?}"
    );
    assert!(tree(&directory.path().join("other")).is_empty());
}

#[test]
fn a_path_can_name_a_directory_a_savepoint_or_a_manifest() {
    let directory = tempdir().unwrap();
    let store = DirStore::open(directory.path()).unwrap();
    take(&store, 6, 1).unwrap();
    take(&store, 7, 1).unwrap();

    let open = |path: &str| CheckpointDirectory::open(&directory.path().join(path));
    let whole = open("").unwrap();
    assert_eq!(
        (whole.selected(), whole.newest().unwrap()),
        (None, CheckpointId(7))
    );
    let one = open("checkpoints/6").unwrap();
    assert_eq!(one.selected(), Some(CheckpointId(6)));
    assert_eq!(one.ids().unwrap(), ids([6, 7]));

    for (path, reason) in [
        ("nowhere", "there is no such file or directory"),
        ("checkpoints/8", "there is no such file or directory"),
        ("state", "it has no directories `checkpoints` and `state`"),
        (
            "LOCK",
            "it is a file, but not a manifest in a `checkpoints` directory",
        ),
        (
            "state/7-count-0-1",
            "it is a file, but not a manifest in a `checkpoints` directory",
        ),
    ] {
        match open(path) {
            Err(StoreError::NotACheckpoint { reason: found, .. }) => assert_eq!(found, reason),
            other => panic!("{path}: {other:?}"),
        }
    }
}

#[test]
fn a_directory_that_lost_its_manifests_is_not_taken_for_an_empty_one() {
    let directory = tempdir().unwrap();
    let store = DirStore::open(directory.path()).unwrap();
    let reader = CheckpointDirectory::open(directory.path()).unwrap();
    let newest = reader.newest();
    assert!(
        matches!(newest, Err(StoreError::NotACheckpoint { .. })),
        "{newest:?}"
    );

    take(&store, 7, 1).unwrap();
    fs::remove_file(directory.path().join("checkpoints/7")).unwrap();
    let newest = reader.newest();
    assert!(
        matches!(newest, Err(StoreError::NothingValid { .. })),
        "{newest:?}"
    );
}

#[test]
fn a_report_names_every_problem_and_the_files_of_no_checkpoint() {
    let directory = tempdir().unwrap();
    let store = DirStore::open(directory.path()).unwrap();
    for checkpoint in 1..=4 {
        take(&store, checkpoint, 1).unwrap();
    }
    let at = |name: &str| directory.path().join(name);
    fs::remove_file(at("state/2-count-0-1")).unwrap();
    fs::write(at("state/2-count-1-1"), "short").unwrap();
    fs::write(at("checkpoints/3"), "not a manifest").unwrap();
    fs::remove_file(at("checkpoints/4")).unwrap();
    fs::write(at("state/notes"), "").unwrap();
    fs::write(at("state/5-count-0-1"), "").unwrap();
    fs::write(at("checkpoints/.5.1.tmp"), "").unwrap();

    let report = CheckpointDirectory::open(directory.path())
        .unwrap()
        .verify()
        .unwrap();
    assert!(!report.is_ok());
    let problem = |file: &str, reason: &str| FileProblem {
        file: file.to_owned(),
        reason: reason.to_owned(),
    };
    let problems: Vec<_> = report
        .checkpoints
        .iter()
        .map(|c| c.problems.clone())
        .collect();
    assert_eq!(
        problems,
        [
            vec![],
            vec![
                problem("state/2-count-0-1", "it is missing"),
                problem(
                    "state/2-count-1-1",
                    "it has 5 bytes, but the manifest lists 172"
                ),
            ],
            vec![problem("checkpoints/3", "it is not a manifest")],
            // `LOCK` remembers it.
            vec![problem("checkpoints/4", "it is missing")],
        ]
    );
    assert_eq!(report.checkpoints[0].state_files, 3);
    assert_eq!(
        report.orphans,
        ["checkpoints/.5.1.tmp", "state/5-count-0-1"]
    );
    assert_eq!(report.unknown, ["state/notes"]);
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["checkpoints"][0]["checkpoint"], 1);
    assert_eq!(
        json["checkpoints"][2]["problems"][0]["file"],
        "checkpoints/3"
    );
}

#[test]
fn a_checkpoint_and_its_import_do_not_differ() {
    let directory = tempdir().unwrap();
    let store = DirStore::open(&directory.path().join("job")).unwrap();
    take(&store, 7, 1).unwrap();
    let here = CheckpointDirectory::open(&directory.path().join("job")).unwrap();
    let other = DirStore::open(&directory.path().join("other")).unwrap();
    let same_lineage = ImportTarget {
        lineage: LINEAGE,
        ..TARGET
    };
    other.import(&here, CheckpointId(7), same_lineage).unwrap();
    let there = CheckpointDirectory::open(&directory.path().join("other")).unwrap();

    let diff = here.diff(CheckpointId(7), &there, CheckpointId(3)).unwrap();
    assert!(diff.is_empty(), "{diff:?}");
    assert_eq!(diff.lines(), ["checkpoint 7 -> 3", "  no difference"]);
}

#[test]
fn a_diff_shows_what_changed_in_positions_and_state() {
    let directory = tempdir().unwrap();
    let store = DirStore::open(directory.path()).unwrap();
    take(&store, 7, 1).unwrap();
    take(&store, 18, 1).unwrap();
    let here = CheckpointDirectory::open(directory.path()).unwrap();
    let diff = here.diff(CheckpointId(7), &here, CheckpointId(18)).unwrap();
    assert_eq!(
        diff.lines(),
        [
            "checkpoint 7 -> 18",
            "~ source lines: position of input/a.txt 0700000000000000 -> 1200000000000000",
            "~ state of count: 344 -> 346 bytes",
            "~ state of total-sum: 188 -> 189 bytes",
        ]
    );
}

#[test]
fn a_diff_shows_what_changed_in_the_graph() {
    use tidegate_checkpoint::ManifestDiff;

    let before = manifest(1, 1);
    let mut after = before.clone();
    let mut nodes = before.graph.nodes().to_vec();
    nodes[2].name = "sum".to_owned();
    nodes[1].parallelism = 4;
    nodes[1].digest = Some("cd".repeat(32));
    let mut edges = before.graph.edges().to_vec();
    edges[1].to = "sum".to_owned();
    edges[2].from = "sum".to_owned();
    edges[2].partitioning = Partitioning::Broadcast;
    after.graph = JobGraph::new("renamed".to_owned(), 128, nodes, edges).unwrap();

    let diff = ManifestDiff::between(&before, &after, |_| false);
    let (ab, cd) = ("ab".repeat(32), "cd".repeat(32));
    assert_eq!(
        diff.lines().join("\n"),
        format!(
            "checkpoint 1 -> 1\n\
             ~ job word-count -> renamed\n\
             - node total-sum\n\
             + node sum\n\
             ~ node count: parallelism 2 -> 4\n\
             ~ node count: digest {ab} -> {cd}\n\
             - edge count:0 -> total-sum (rebalance)\n\
             - edge total-sum:0 -> out (forward)\n\
             + edge count:0 -> sum (rebalance)\n\
             + edge sum:0 -> out (broadcast)"
        )
    );
    let json = serde_json::to_value(&diff).unwrap();
    assert_eq!(json["nodes_changed"][0]["property"], "parallelism");
}

#[test]
fn a_directory_holds_checkpoints_from_the_first_one_on() {
    let directory = tempdir().unwrap();
    let path = directory.path().join("job");
    let holds = || CheckpointDirectory::holds_checkpoints(&path);
    assert!(!holds().unwrap(), "nothing is there");
    fs::create_dir(&path).unwrap();
    assert!(!holds().unwrap(), "an empty directory");
    let store = DirStore::open(&path).unwrap();
    assert!(!holds().unwrap(), "a store without checkpoints");
    take(&store, 1, 1).unwrap();
    assert!(holds().unwrap());
    drop(store);
    fs::remove_dir_all(path.join("checkpoints")).unwrap();
    fs::write(path.join("checkpoints"), "").unwrap();
    match holds() {
        Err(StoreError::Io { action, .. }) => {
            assert!(action.ends_with("/checkpoints"), "{action}")
        }
        other => panic!("a file is no directory: {other:?}"),
    }
}
