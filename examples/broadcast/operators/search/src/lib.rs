//! Finds words in lines. Every subtask reads every line and looks for its share of the config's
//! `words`, so that one subtask looks for each word. It emits each find as the word and the line.

use serde::Deserialize;
use tidegate_sdk::prelude::*;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    words: Vec<String>,
}

struct Search {
    /// The words of this subtask.
    words: Vec<String>,
}

impl Operator for Search {
    type Config = Config;
    type State = ();

    fn open(config: Config, context: &Context) -> Result<Self, Failure> {
        // The shares follow from the config alone, so that a rescaled job deals them out again.
        let turns = (0..context.parallelism).cycle();
        let dealt = config.words.into_iter().zip(turns);
        let own = dealt.filter(|(_, subtask)| *subtask == context.subtask);
        let words = own.map(|(word, _)| word).collect();
        Ok(Self { words })
    }

    fn on_record(
        &mut self,
        record: Record<'_>,
        _state: &mut (),
        out: &mut Output,
    ) -> Result<(), Failure> {
        let line = record.value_str()?;
        for word in &self.words {
            if line.split_whitespace().any(|other| other == word) {
                out.emit(word, line);
            }
        }
        Ok(())
    }
}

export_operator!(Search);

#[cfg(test)]
mod tests {
    use super::*;
    use tidegate_sdk::testing::Harness;

    #[test]
    fn each_word_is_looked_for_in_one_subtask() -> Result<(), Failure> {
        let builder = Harness::<Search>::builder().config(r#"{"words":["ebb","flood","storm"]}"#);
        let mut found = Vec::new();
        for subtask in 0..2 {
            let mut search = builder.clone().subtask(subtask, 2).open()?;
            search.send("", "a storm at ebb, a storm at flood")?;
            found.push(search.take_text().into_iter().map(|(word, _)| word));
        }
        let found: Vec<Vec<String>> = found.into_iter().map(Iterator::collect).collect();
        assert_eq!(found, [vec!["storm"], vec!["flood"]]);
        Ok(())
    }
}
