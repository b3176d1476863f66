//! Decoding of manifests with its memory measured, and bodies in a valid frame.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use tidegate_checkpoint::{FormatError, Manifest};

use super::manifest;

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
pub(crate) fn peak_memory<T>(work: impl FnOnce() -> T) -> (T, usize) {
    let before = IN_USE.get();
    PEAK.set(before);
    let result = work();
    (result, PEAK.get() - before)
}
