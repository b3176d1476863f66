//! Decoding takes any bytes: it never panics, and the size of its input bounds its memory.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use proptest::collection::vec;
use proptest::prelude::*;
use tidegate_checkpoint::{CheckpointStore, DirStore, FormatError, Manifest, SnapshotContents};
use tidegate_connector::source::SourceSplit;
use tidegate_operator::StateChunk;

use crate::support::{entry, identity, manifest, subtask};

/// Serde reserves up to 1 MiB for each list that is being decoded, and lists are nested three deep.
const FIXED: usize = 4 << 20;

/// The smallest entry, an empty split, has 2 bytes in the file and 48 in memory, and a growing
/// list holds its elements up to three times for a moment.
const FACTOR: usize = 80;

pub(crate) fn with_valid_frame(body: &[u8]) -> Vec<u8> {
    let mut bytes = b"TGCHKPT\0\x01\0\0\0".to_vec();
    bytes.extend_from_slice(&(body.len() as u64).to_le_bytes());
    bytes.extend_from_slice(body);
    let digest = blake3::hash(&bytes);
    bytes.extend_from_slice(digest.as_bytes());
    bytes
}

/// Decodes, and checks the memory that this took. A decoded manifest encodes to the same bytes.
pub(crate) fn decode(bytes: &[u8]) -> Result<Manifest, FormatError> {
    let (decoded, peak) = peak_memory(|| Manifest::decode(bytes));
    let limit = FACTOR * bytes.len() + FIXED;
    assert!(
        peak <= limit,
        "{peak} bytes of memory for {} bytes",
        bytes.len()
    );
    if let Ok(manifest) = &decoded {
        let again = Manifest::decode(&manifest.encode().unwrap()).unwrap();
        assert_eq!(again, *manifest);
    }
    decoded
}

pub(crate) fn body() -> Vec<u8> {
    let bytes = manifest(1, 1).encode().unwrap();
    bytes[20..bytes.len() - 32].to_vec()
}

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

thread_local! {
    static IN_USE: Cell<usize> = const { Cell::new(0) };
    static PEAK: Cell<usize> = const { Cell::new(0) };
}

/// An allocator that counts by thread, so that tests can run side by side.
struct CountingAllocator;

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

#[expect(
    unsafe_code,
    reason = "an allocator that counts can't be written without"
)]
// SAFETY: every call goes to the system's allocator unchanged; counting allocates nothing.
unsafe impl GlobalAlloc for CountingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let in_use = IN_USE.get().saturating_add(layout.size());
        IN_USE.set(in_use);
        PEAK.set(PEAK.get().max(in_use));
        // SAFETY: the caller keeps the contract of `GlobalAlloc::alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        IN_USE.set(IN_USE.get().saturating_sub(layout.size()));
        // SAFETY: `pointer` came from `alloc` above, with this layout.
        unsafe { System.dealloc(pointer, layout) }
    }
}

/// Runs `work`. Returns its result, and the peak of the additional memory that it used.
fn peak_memory<T>(work: impl FnOnce() -> T) -> (T, usize) {
    let before = IN_USE.get();
    PEAK.set(before);
    let result = work();
    (result, PEAK.get() - before)
}
