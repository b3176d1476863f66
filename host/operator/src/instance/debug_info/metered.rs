//! A reader of DWARF that counts its reads and stops.
//!
//! The parser takes every step by reading, and keeps what it has read. A bound on the reads is thus
//! a bound on time and memory, whatever the sections contain.

use std::borrow::Cow;
use std::cell::Cell;

use addr2line::gimli::{EndianSlice, Error, LittleEndian, Reader, ReaderOffsetId, Result};

/// The number of reads left for one trap.
#[derive(Debug)]
pub(super) struct Budget(Cell<u64>);

impl Budget {
    pub(super) fn new(reads: u64) -> Self {
        Self(Cell::new(reads))
    }

    /// Takes `reads` and returns true; if fewer are left, takes these, and every later read fails.
    fn take(&self, reads: usize) -> bool {
        let left = self.0.get().checked_sub(reads as u64);
        self.0.set(left.unwrap_or(0));
        left.is_some()
    }
}

/// A section whose reads are counted.
#[derive(Clone, Debug)]
pub(super) struct Metered<'a> {
    bytes: EndianSlice<'a, LittleEndian>,
    budget: &'a Budget,
}

impl<'a> Metered<'a> {
    pub(super) fn new(bytes: &'a [u8], budget: &'a Budget) -> Self {
        let bytes = EndianSlice::new(bytes, LittleEndian);
        Self { bytes, budget }
    }

    fn pay(&self, reads: usize) -> Result<()> {
        if self.budget.take(reads) {
            Ok(())
        } else {
            Err(Error::UnexpectedEof(self.bytes.offset_id()))
        }
    }
}

impl Reader for Metered<'_> {
    type Endian = LittleEndian;
    type Offset = usize;

    fn endian(&self) -> LittleEndian {
        self.bytes.endian()
    }

    fn len(&self) -> usize {
        Reader::len(&self.bytes)
    }

    fn empty(&mut self) {
        self.bytes.empty();
    }

    fn truncate(&mut self, len: usize) -> Result<()> {
        self.pay(1)?;
        self.bytes.truncate(len)
    }

    fn offset_from(&self, base: &Self) -> usize {
        Reader::offset_from(&self.bytes, &base.bytes)
    }

    fn offset_id(&self) -> ReaderOffsetId {
        self.bytes.offset_id()
    }

    fn lookup_offset_id(&self, id: ReaderOffsetId) -> Option<usize> {
        self.bytes.lookup_offset_id(id)
    }

    fn find(&self, byte: u8) -> Result<usize> {
        let found = Reader::find(&self.bytes, byte);
        self.pay(found.unwrap_or_else(|_| Reader::len(self)) + 1)?;
        found
    }

    fn skip(&mut self, len: usize) -> Result<()> {
        self.pay(1)?;
        self.bytes.skip(len)
    }

    fn split(&mut self, len: usize) -> Result<Self> {
        self.pay(1)?;
        let bytes = self.bytes.split(len)?;
        let budget = self.budget;
        Ok(Self { bytes, budget })
    }

    fn to_slice(&self) -> Result<Cow<'_, [u8]>> {
        self.pay(Reader::len(self))?;
        self.bytes.to_slice()
    }

    fn to_string(&self) -> Result<Cow<'_, str>> {
        self.pay(Reader::len(self))?;
        Reader::to_string(&self.bytes)
    }

    fn to_string_lossy(&self) -> Result<Cow<'_, str>> {
        self.pay(Reader::len(self))?;
        Reader::to_string_lossy(&self.bytes)
    }

    fn read_slice(&mut self, buffer: &mut [u8]) -> Result<()> {
        self.pay(1)?;
        Reader::read_slice(&mut self.bytes, buffer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_read_ends_with_the_budget() {
        let ways: [fn(&mut Metered<'_>) -> bool; 7] = [
            |reader| reader.skip(1).is_ok(),
            |reader| reader.split(1).is_ok(),
            |reader| reader.truncate(1).is_ok(),
            |reader| reader.find(b'x').is_ok(),
            |reader| reader.to_slice().is_ok(),
            |reader| Reader::to_string(reader).is_ok(),
            |reader| reader.read_u8().is_ok(),
        ];
        for (index, way) in ways.into_iter().enumerate() {
            let budget = Budget::new(100);
            let mut reader = Metered::new(b"xx", &budget);
            assert!(way(&mut reader), "{index}");
            assert!(budget.0.get() < 100, "{index}");
            let spent = Budget::new(0);
            assert!(!way(&mut Metered::new(b"xx", &spent)), "{index}");
        }
    }

    #[test]
    fn finding_and_copying_cost_what_they_go_through() {
        let budget = Budget::new(10);
        let reader = Metered::new(b"abcdefgh", &budget);
        assert!(reader.find(b'h').is_ok());
        assert!(reader.to_string_lossy().is_err());
        assert_eq!(budget.0.get(), 0);
    }
}
