//! Digests of all bytes that a reader has read, for comparing them with the file again.
//!
//! A checkpoint vouches for lines that were returned, so their bytes must still be in the file. A
//! reader keeps a digest of each segment that it has read since it opened its split, 16 bytes a
//! MiB, and compares the digests when the file may have been written to.
//!
//! XXH3 of 128 bits, since a cryptographic hash would cost a reader a third of its speed. An
//! attacker who can write to the input can forge it anyway; this finds accidents.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::ops::Range;
use std::os::unix::fs::FileExt as _;

use xxhash_rust::xxh3::Xxh3;

/// The number of bytes of a segment.
const SEGMENT_BYTES: u64 = 1 << 20;

/// The number of bytes that are compared at once.
const COMPARED_BYTES: usize = 256 * 1024;

pub(super) struct Trail {
    /// The beginning of the trail in the file.
    start: u64,
    /// The digest of each whole segment.
    whole: Vec<u128>,
    /// The digest of the incomplete last segment.
    last: Xxh3,
    last_bytes: u64,
}

impl Trail {
    pub(super) fn new(start: u64) -> Self {
        Self {
            start,
            whole: Vec::new(),
            last: Xxh3::new(),
            last_bytes: 0,
        }
    }

    /// Adds the next bytes of the file.
    pub(super) fn add(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let room = usize::try_from(SEGMENT_BYTES - self.last_bytes).unwrap_or(usize::MAX);
            let (now, later) = bytes.split_at(bytes.len().min(room));
            self.last.update(now);
            self.last_bytes += now.len() as u64;
            if self.last_bytes == SEGMENT_BYTES {
                self.whole.push(self.last.digest128());
                self.last.reset();
                self.last_bytes = 0;
            }
            bytes = later;
        }
    }

    /// Returns the number of segments, including an incomplete one.
    pub(super) fn segments(&self) -> usize {
        self.whole.len() + usize::from(self.last_bytes > 0)
    }

    /// Returns the number of whole segments, which never change again.
    pub(super) fn whole_segments(&self) -> usize {
        self.whole.len()
    }

    /// Returns the bytes of the first of these segments that differs in the file now.
    pub(super) fn changed(
        &self,
        file: &File,
        segments: Range<usize>,
    ) -> io::Result<Option<Range<u64>>> {
        for segment in segments {
            let bytes = self.bytes(segment);
            let expected = match self.whole.get(segment) {
                Some(digest) => *digest,
                None => self.last.digest128(),
            };
            if digest_of(file, bytes.clone())? != Some(expected) {
                return Ok(Some(bytes));
            }
        }
        Ok(None)
    }

    fn bytes(&self, segment: usize) -> Range<u64> {
        let start = self.start + segment as u64 * SEGMENT_BYTES;
        let is_whole = segment < self.whole.len();
        let length = if is_whole {
            SEGMENT_BYTES
        } else {
            self.last_bytes
        };
        start..start + length
    }
}

/// Returns the digest of bytes of a file; `None` if the file is shorter.
fn digest_of(file: &File, bytes: Range<u64>) -> io::Result<Option<u128>> {
    let mut hasher = Xxh3::new();
    let mut buffer = vec![0; COMPARED_BYTES];
    let mut at = bytes.start;
    while at < bytes.end {
        let left = usize::try_from(bytes.end - at).unwrap_or(usize::MAX);
        let block = &mut buffer[..left.min(COMPARED_BYTES)];
        match file.read_exact_at(block, at) {
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(None),
            read => read?,
        }
        hasher.update(block);
        at += block.len() as u64;
    }
    Ok(Some(hasher.digest128()))
}
