//! A10: state that was changed on the disk is never handed to a guest. The job does not start, the
//! error names the file, and no file is written.

use std::path::{Path, PathBuf};

use tidegate_random::{Random, TestSeed};
use tidegate_tests::{JobDirectory, WatGuest};

const JOB: &str = r#"version = 1
name = "corrupted"
[checkpoint]
directory = "state"
interval = "50ms"
[source.integers]
connector = "generator"
rate = 10_000
[operator.first]
component = "guest.wasm"
inputs = [{ from = "integers" }]
[operator.second]
component = "guest.wasm"
inputs = [{ from = "first", partition = "rebalance" }]
[operator.third]
component = "guest.wasm"
inputs = [{ from = "second" }]
[sink.out]
connector = "discard"
inputs = [{ from = "third" }]
"#;

/// A way to change a file.
#[derive(Debug)]
enum Corruption {
    FlippedBit(usize),
    CutTo(usize),
    Longer,
}

impl Corruption {
    fn random(random: &mut Random, bytes: usize) -> Self {
        let at = usize::try_from(random.in_range(0..bytes as u64)).expect("it fits");
        match random.in_range(0..10) {
            0 => Self::Longer,
            1..4 => Self::CutTo(at),
            _ => Self::FlippedBit(at),
        }
    }

    fn of(&self, genuine: &[u8], random: &mut Random) -> Vec<u8> {
        let mut bytes = genuine.to_vec();
        match self {
            Self::FlippedBit(at) => bytes[*at] ^= 1 << random.in_range(0..8),
            Self::CutTo(length) => bytes.truncate(*length),
            Self::Longer => bytes.push(0),
        }
        bytes
    }
}

/// Lists all files except the lock, which records who held it last.
fn written(job: &JobDirectory) -> Vec<String> {
    let listing = job.listing();
    let lines = listing
        .lines()
        .filter(|line| !line.starts_with("state/LOCK"));
    lines.map(str::to_owned).collect()
}

fn files_of(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).expect("it can be read");
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    files.sort();
    files
}

#[test]
fn changed_state_of_any_operator_is_named_and_never_restored() {
    const CORRUPTIONS: usize = 50;
    let job = JobDirectory::new(JOB);
    // A guest that gets state traps: that would be another exit code.
    let guest = WatGuest::echo().export("restore", "unreachable");
    job.write("guest.wasm", guest.component());
    let running = job.start(&["run", "job.toml"]);
    while job.tidegate(&["status", "job.toml"]).code != Some(0) {}
    job.tidegate(&["stop", "job.toml"]).assert_succeeds();
    running.wait().assert_succeeds();
    let newest = files_of(&job.path().join("state/checkpoints"))
        .iter()
        .filter_map(|path| path.file_name()?.to_str()?.parse::<u64>().ok())
        .max();
    let newest = newest.expect("there is a checkpoint").to_string();
    let inspected = job.tidegate(&["checkpoint", "inspect", "state", "--json"]);
    let of_newest: Vec<PathBuf> = files_of(&job.path().join("state/state"))
        .into_iter()
        .filter(|path| {
            let name = path
                .file_name()
                .map(|name| name.to_string_lossy().into_owned());
            let name = name.unwrap_or_default();
            inspected.stdout.contains(&name) || name.starts_with(&format!("{newest}-"))
        })
        .collect();
    assert_eq!(of_newest.len(), 3, "{of_newest:?} of checkpoint {newest}");

    let seed = TestSeed::of_run();
    let mut random = seed.random();
    for file in of_newest {
        let genuine = std::fs::read(&file).expect("it can be read");
        let name = file.file_name().expect("it has a name").to_string_lossy();
        for _ in 0..CORRUPTIONS {
            let corruption = Corruption::random(&mut random, genuine.len());
            let corrupted = corruption.of(&genuine, &mut random);
            std::fs::write(&file, corrupted).expect("it can be changed");
            let before = written(&job);
            let refused = job.tidegate(&["run", "job.toml"]);
            assert_eq!(
                refused.code,
                Some(3),
                "seed {seed}: {corruption:?}: {refused:#?}"
            );
            refused.assert_fails(3, &[&name]);
            assert_eq!(
                written(&job),
                before,
                "seed {seed}: {corruption:?} wrote something"
            );
        }
        std::fs::write(&file, &genuine).expect("it can be mended");
    }
    // Unchanged state is restored: the host calls the guest, which traps.
    let restored = job.tidegate(&["run", "job.toml"]);
    assert!(
        restored.stderr.contains("`restore` trapped"),
        "{restored:#?}"
    );
}
