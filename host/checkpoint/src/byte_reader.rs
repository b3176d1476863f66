//! Takes fixed-width fields off the front of untrusted bytes. Pure.
//!
//! The reader never panics or allocates: it compares each length with the remaining bytes first.

use super::FormatError;

/// The remaining bytes.
#[derive(Debug)]
pub(super) struct ByteReader<'a> {
    left: &'a [u8],
}

impl<'a> ByteReader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { left: bytes }
    }

    /// Takes the next `length` bytes; `what` names them in the error.
    pub(super) fn take(
        &mut self,
        length: u64,
        what: &'static str,
    ) -> Result<&'a [u8], FormatError> {
        let fits = usize::try_from(length).ok();
        let split = fits.and_then(|length| self.left.split_at_checked(length));
        let (taken, left) = split.ok_or(FormatError::Truncated {
            what,
            needed: length,
            left: length_of(self.left),
        })?;
        self.left = left;
        Ok(taken)
    }

    pub(super) fn array<const N: usize>(
        &mut self,
        what: &'static str,
    ) -> Result<[u8; N], FormatError> {
        let (taken, left) = self
            .left
            .split_first_chunk()
            .ok_or(FormatError::Truncated {
                what,
                needed: N as u64,
                left: length_of(self.left),
            })?;
        self.left = left;
        Ok(*taken)
    }

    pub(super) fn u32(&mut self, what: &'static str) -> Result<u32, FormatError> {
        self.array(what).map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self, what: &'static str) -> Result<u64, FormatError> {
        self.array(what).map(u64::from_le_bytes)
    }

    /// Takes the next `length` bytes as text.
    pub(super) fn text(&mut self, length: u64, what: &'static str) -> Result<&'a str, FormatError> {
        let bytes = self.take(length, what)?;
        std::str::from_utf8(bytes).map_err(|_| FormatError::NotUtf8 { what })
    }

    /// Takes and checks the magic and the format version, which begin every part of the format.
    pub(super) fn magic_and_version<const N: usize>(
        &mut self,
        magic: &[u8; N],
        supported: u32,
        what: &'static str,
    ) -> Result<(), FormatError> {
        if self.array(what)? != *magic {
            return Err(FormatError::WrongMagic { expected: what });
        }
        let found = self.u32(what)?;
        if found > supported {
            return Err(FormatError::NewerVersion {
                what,
                found,
                supported,
            });
        }
        // Version 1 is the first one and the only one so far.
        if found != supported {
            return Err(FormatError::UnknownVersion { what, found });
        }
        Ok(())
    }

    /// Checks that no bytes remain.
    pub(super) fn end(&self) -> Result<(), FormatError> {
        if self.left.is_empty() {
            return Ok(());
        }
        Err(FormatError::TrailingBytes {
            count: length_of(self.left),
        })
    }
}

/// A length as it is stored.
pub(super) fn length_of(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).expect("a length in memory fits 64 bits")
}
