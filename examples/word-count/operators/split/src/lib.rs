//! Splits each line at ASCII whitespace and emits its words: the word as the key, no value.

use tidegate_sdk::prelude::*;

struct Split;

impl Operator for Split {
    type Config = ();
    type State = ();

    fn open(_config: (), _context: &Context) -> Result<Self, Failure> {
        Ok(Self)
    }

    fn on_record(
        &mut self,
        record: Record<'_>,
        _state: &mut (),
        out: &mut Output,
    ) -> Result<(), Failure> {
        let mut rest = record.value();
        while !rest.is_empty() {
            let (word, behind) = rest.split_at(word_length(rest));
            if !word.is_empty() {
                out.emit(word, ());
            }
            rest = behind.get(1..).unwrap_or_default();
        }
        Ok(())
    }
}

/// Returns the number of bytes before the first whitespace.
fn word_length(text: &[u8]) -> usize {
    let start = without_low_bytes(text);
    let end = text[start..].iter().position(u8::is_ascii_whitespace);
    end.map_or(text.len(), |end| start + end)
}

/// Returns a number of bytes at the start that are no whitespace, since all are above the space,
/// the highest whitespace. It examines eight bytes at a time, several times as fast as one by one.
fn without_low_bytes(text: &[u8]) -> usize {
    let (chunks, _) = text.as_chunks::<8>();
    for (chunk, start) in chunks.iter().zip((0..).step_by(8)) {
        let low = low_bytes(u64::from_le_bytes(*chunk));
        if low != 0 {
            return start + low.trailing_zeros() as usize / 8;
        }
    }
    chunks.len() * 8
}

/// Returns the highest bit of each byte that is at most a space; all other bits are zero.
fn low_bytes(word: u64) -> u64 {
    const EACH: u64 = u64::from_le_bytes([1; 8]);
    // No sum of the lower seven bits carries into the next byte.
    let above_space = (word & (0x7f * EACH)) + (0x7f - b' ' as u64) * EACH;
    !(above_space | word) & (0x80 * EACH)
}

export_operator!(Split);

#[cfg(test)]
mod tests {
    use super::*;
    use tidegate_sdk::testing::Harness;

    #[test]
    fn a_line_becomes_its_words_in_order() -> Result<(), Failure> {
        let mut split = Harness::<Split>::builder().open()?;
        split.send("", " the tide\tturns, \r")?;
        let words = split.take_output().into_iter().map(|word| word.key);
        assert_eq!(words.collect::<Vec<_>>(), [&b"the"[..], b"tide", b"turns,"]);
        Ok(())
    }

    #[test]
    fn words_end_at_whitespace_wherever_it_is() {
        for byte in 0..=u8::MAX {
            for length in 0..20 {
                let text = [vec![b'x'; length], vec![byte], b"y z".to_vec()].concat();
                let expected = if byte.is_ascii_whitespace() {
                    length
                } else {
                    length + 2
                };
                assert_eq!(word_length(&text), expected, "{text:?}");
                assert_eq!(word_length(&text[..length]), length);
            }
        }
    }

    #[test]
    fn a_line_without_words_gives_nothing() -> Result<(), Failure> {
        let mut split = Harness::<Split>::builder().open()?;
        split.send_all([("", ""), ("", " \t ")])?;
        assert_eq!(split.take_output(), []);
        Ok(())
    }
}
