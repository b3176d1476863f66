//! Digests of all bytes that a reader has read, to compare them with the file again.
//!
//! A line that was given is worth what its bytes still are when a checkpoint vouches for it. So a
//! reader keeps a digest of each segment that it read, 16 bytes a MiB, and compares them once the
//! file shows that it was written to. The bytes of this reader alone, since it opened its split.
//!
//! XXH3 of 128 bits, since a cryptographic hash would cost a reader a third of its speed. Whoever
//! may write to the input can lie in it anyway; this finds accidents.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::ops::Range;
use std::os::unix::fs::FileExt as _;

use xxhash_rust::xxh3::Xxh3;

/// Bytes of a segment.
const SEGMENT_BYTES: u64 = 1 << 20;

/// Bytes that are compared at once.
const COMPARED_BYTES: usize = 256 * 1024;

pub(super) struct Trail {
    /// Where it begins in the file.
    start: u64,
    /// Of each whole segment.
    whole: Vec<u128>,
    /// Of the segment that is not whole yet.
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

    /// How many segments it has, with one that is not whole.
    pub(super) fn segments(&self) -> usize {
        self.whole.len() + usize::from(self.last_bytes > 0)
    }

    /// How many segments are whole, and never change again.
    pub(super) fn whole_segments(&self) -> usize {
        self.whole.len()
    }

    /// The bytes of the first of these segments that is not in the file as it was read.
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

/// The digest of bytes of a file; none if it does not have them.
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
