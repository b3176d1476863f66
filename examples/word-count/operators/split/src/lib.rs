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
        let words = record.value().split(u8::is_ascii_whitespace);
        for word in words.filter(|word| !word.is_empty()) {
            out.emit(word, ());
        }
        Ok(())
    }
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
    fn a_line_without_words_gives_nothing() -> Result<(), Failure> {
        let mut split = Harness::<Split>::builder().open()?;
        split.send_all([("", ""), ("", " \t ")])?;
        assert_eq!(split.take_output(), []);
        Ok(())
    }
}
