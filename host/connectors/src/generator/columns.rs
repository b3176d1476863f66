//! Integers to columns, in bulk: most of the generator's work. Pure.

use tidegate_operator::Column;

use super::ranges::Run;

/// The number of bytes of a row in little-endian encoding.
const WIDTH: usize = size_of::<u64>();

/// The number of decimal digits of the largest `u64`.
const DIGITS: usize = 20;

/// Encodes the integers of `runs` as eight bytes each.
pub(super) fn little_endian(runs: &[Run], offsets: &RegularOffsets) -> Column {
    let rows = runs.iter().map(|run| run.count).sum();
    let mut bytes = vec![0; rows * WIDTH];
    let mut rest = bytes.as_mut_slice();
    for run in runs {
        let (block, after) = rest.split_at_mut(run.count * WIDTH);
        for (row, integer) in block.as_chunks_mut::<WIDTH>().0.iter_mut().zip(run.first..) {
            *row = integer.to_le_bytes();
        }
        rest = after;
    }
    offsets.column(rows, bytes)
}

/// Encodes the integers of `runs`, each modulo `keys`, as eight bytes each.
pub(super) fn little_endian_keys(runs: &[Run], keys: u64, offsets: &RegularOffsets) -> Column {
    let rows = runs.iter().map(|run| run.count).sum();
    let mut bytes = vec![0; rows * WIDTH];
    let mut rest = bytes.as_mut_slice();
    for run in runs {
        let (block, after) = rest.split_at_mut(run.count * WIDTH);
        let mut key = run.first % keys;
        for row in block.as_chunks_mut::<WIDTH>().0 {
            *row = key.to_le_bytes();
            key += 1;
            if key == keys {
                key = 0;
            }
        }
        rest = after;
    }
    offsets.column(rows, bytes)
}

/// Formats the integers of `runs` in decimal.
pub(super) fn decimal(runs: &[Run]) -> Column {
    let mut text = DecimalRows::for_runs(runs);
    for run in runs {
        let mut counter = Decimal::of(run.first);
        for _ in 0..run.count {
            text.push(&counter);
            counter.increment();
        }
    }
    text.into_column()
}

/// Formats the integers of `runs`, each modulo `keys`, in decimal.
pub(super) fn decimal_keys(runs: &[Run], keys: u64) -> Column {
    let mut text = DecimalRows::for_runs(runs);
    for run in runs {
        let mut key = run.first % keys;
        let mut counter = Decimal::of(key);
        for _ in 0..run.count {
            text.push(&counter);
            key += 1;
            counter.increment();
            if key == keys {
                key = 0;
                counter = Decimal::of(0);
            }
        }
    }
    text.into_column()
}

/// Makes a column of `rows` empty rows.
pub(super) fn empty(rows: usize) -> Column {
    Column::from_parts(vec![0; rows + 1], Vec::new()).expect("offsets of 0 fit no bytes")
}

/// Offsets of rows of [`WIDTH`] bytes, made once for the largest batch.
pub(super) struct RegularOffsets(Vec<u32>);

impl RegularOffsets {
    pub(super) fn for_rows(rows: u32) -> Self {
        Self((0..=rows).map(|row| row * 8).collect())
    }

    fn column(&self, rows: usize, bytes: Vec<u8>) -> Column {
        Column::from_parts(self.0[..=rows].to_vec(), bytes).expect("every row has eight bytes")
    }
}

/// An integer that counts up in decimal digits, without a division.
struct Decimal {
    digits: [u8; DIGITS],
    length: u8,
    /// The last digit; that in `digits` is outdated. Kept apart, because copying bytes right after
    /// one of them was changed makes the processor wait.
    last_digit: u8,
}

impl Decimal {
    fn of(integer: u64) -> Self {
        let mut buffer = itoa::Buffer::new();
        let text = buffer.format(integer).as_bytes();
        let mut digits = [b'0'; DIGITS];
        digits[..text.len()].copy_from_slice(text);
        Self {
            digits,
            length: u8::try_from(text.len()).expect("there are at most 20 digits"),
            last_digit: text[text.len() - 1],
        }
    }

    #[inline]
    fn increment(&mut self) {
        if self.last_digit == b'9' {
            self.last_digit = b'0';
            self.carry();
        } else {
            self.last_digit += 1;
        }
    }

    /// Increments the digits before the last.
    fn carry(&mut self) {
        for digit in self.digits[..usize::from(self.length - 1)].iter_mut().rev() {
            if *digit != b'9' {
                *digit += 1;
                return;
            }
            *digit = b'0';
        }
        // All were nines, so all become zeros after a 1; 63 bits leave room for it.
        self.digits = [b'0'; DIGITS];
        self.digits[0] = b'1';
        self.length += 1;
    }
}

/// A column under construction, with room for the longest possible rows.
struct DecimalRows {
    offsets: Vec<u32>,
    bytes: Vec<u8>,
    end: u32,
}

impl DecimalRows {
    fn for_runs(runs: &[Run]) -> Self {
        let rows: usize = runs.iter().map(|run| run.count).sum();
        let mut offsets = Vec::with_capacity(rows + 1);
        offsets.push(0);
        Self {
            offsets,
            bytes: vec![0; rows * DIGITS],
            end: 0,
        }
    }

    #[inline]
    fn push(&mut self, integer: &Decimal) {
        // Always copies all digits, since a copy of fixed length takes a few moves; the next row
        // overwrites the surplus.
        let start = self.end as usize;
        let row = &mut self.bytes[start..start + DIGITS];
        row.copy_from_slice(&integer.digits);
        row[usize::from(integer.length - 1)] = integer.last_digit;
        self.end += u32::from(integer.length);
        self.offsets.push(self.end);
    }

    fn into_column(mut self) -> Column {
        self.bytes.truncate(self.end as usize);
        Column::from_parts(self.offsets, self.bytes).expect("offsets follow the bytes written")
    }
}

#[cfg(test)]
mod tests;
