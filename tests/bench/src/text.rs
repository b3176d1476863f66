//! The text of the word count: words whose frequencies follow Zipf's law, the same on every
//! machine.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use tidegate_random::Random;

use crate::workspace::Workspace;

/// The number of distinct words: about as many as in a long novel and its dictionary.
const VOCABULARY: usize = 100_000;
/// The number of words in a line.
const LINE_WORDS: std::ops::RangeInclusive<u64> = 5..=15;
/// The number of names of the file, each of which is read, so that a fast job does not run out of
/// text.
const NAMES: u32 = 16;
const SYLLABLES: [&str; 32] = [
    "ti", "de", "ga", "te", "wa", "ter", "lo", "mi", "ra", "ne", "so", "ku", "ba", "li", "on",
    "ve", "he", "ran", "ce", "du", "pol", "fa", "est", "mo", "zi", "pe", "cha", "nor", "bi", "us",
    "tra", "go",
];

/// The text as files.
#[derive(Clone, Debug)]
pub(crate) struct Text {
    /// A glob of all names.
    pub(crate) glob: PathBuf,
    /// The first name.
    pub(crate) file: PathBuf,
}

/// Returns the text with this number of bytes; writes it if it is missing.
pub(crate) fn prepare(workspace: &Workspace, bytes: u64) -> Result<Text> {
    let directory = workspace.data().join(format!("words-{bytes}"));
    let file = directory.join("00.txt");
    let text = Text {
        glob: directory.join("*.txt"),
        file: file.clone(),
    };
    let is_there = file.metadata().is_ok_and(|file| file.len() == bytes);
    if !is_there {
        std::fs::create_dir_all(&directory)
            .with_context(|| format!("make {}", directory.display()))?;
        let unfinished = directory.join(format!("{}.unfinished", std::process::id()));
        let made = File::create(&unfinished).and_then(|file| {
            let mut writer = BufWriter::with_capacity(1 << 20, file);
            write_text(&mut writer, bytes)?;
            writer.flush()
        });
        made.with_context(|| format!("write {}", unfinished.display()))?;
        std::fs::rename(&unfinished, &file)
            .with_context(|| format!("rename {}", unfinished.display()))?;
    }
    for name in 1..NAMES {
        let link = directory.join(format!("{name:02}.txt"));
        if !link.exists() {
            std::fs::hard_link(&file, &link).with_context(|| format!("link {}", link.display()))?;
        }
    }
    Ok(text)
}

/// Writes exactly `bytes` of text; the last word can be cut off.
fn write_text(mut writer: impl Write, bytes: u64) -> std::io::Result<()> {
    let words = vocabulary();
    let frequencies = Frequencies::new(words.len());
    let mut random = Random::new(1);
    let mut left = bytes;
    let mut line = Vec::new();
    while left > 0 {
        line.clear();
        let span = LINE_WORDS.end() - LINE_WORDS.start() + 1;
        for _ in 0..LINE_WORDS.start() + random.number() % span {
            line.extend_from_slice(words[frequencies.rank(random.number())].as_bytes());
            line.push(b' ');
        }
        line.pop();
        line.push(b'\n');
        line.truncate(usize::try_from(left).unwrap_or(usize::MAX));
        writer.write_all(&line)?;
        left -= line.len() as u64;
    }
    Ok(())
}

/// Returns distinct words, frequent ones first and, as in languages, shorter.
fn vocabulary() -> Vec<String> {
    let word = |rank: usize| {
        // The rank's digits to the base of the syllables; the top digit is never 0, so that no two
        // ranks have the same syllables.
        let mut rest = rank + 1;
        let mut word = String::new();
        while rest > 0 {
            word.push_str(SYLLABLES[rest % SYLLABLES.len()]);
            rest /= SYLLABLES.len();
        }
        word
    };
    (0..VOCABULARY).map(word).collect()
}

/// Draws ranks, each with a probability proportional to 1 / (rank + 1).
struct Frequencies {
    /// Exclusive upper bounds of the numbers that select each rank.
    bounds: Vec<u64>,
}

impl Frequencies {
    fn new(ranks: usize) -> Self {
        // Whole numbers only: the text must not depend on how a processor rounds.
        let weights = (1..=ranks as u64).map(|rank| (1 << 40) / rank);
        let bounds = weights.scan(0, |sum, weight| {
            *sum += weight;
            Some(*sum)
        });
        Self {
            bounds: bounds.collect(),
        }
    }

    fn rank(&self, random: u64) -> usize {
        let sum = self.bounds.last().copied().unwrap_or(1);
        let number = random % sum;
        self.bounds.partition_point(|bound| *bound <= number)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn text(bytes: u64) -> String {
        let mut text = Vec::new();
        write_text(&mut text, bytes).expect("memory takes what is written to it");
        String::from_utf8(text).expect("syllables are ASCII")
    }

    #[test]
    fn the_text_is_the_same_on_every_machine() {
        let text = text(100_000);
        assert_eq!(text.len(), 100_000);
        let digest = blake3::hash(text.as_bytes()).to_hex();
        assert_eq!(&digest[..16], "5a2fa1339f859b81");
    }

    #[test]
    fn the_second_word_is_half_as_frequent_as_the_first() {
        let text = text(1_000_000);
        let mut counts: HashMap<&str, u32> = HashMap::new();
        for word in text.split_ascii_whitespace() {
            *counts.entry(word).or_default() += 1;
        }
        let words = vocabulary();
        let ratio = f64::from(counts[&*words[0]]) / f64::from(counts[&*words[1]]);
        assert!((1.9..2.1).contains(&ratio), "{ratio}");
    }

    #[test]
    fn frequent_words_are_distinct() {
        let mut words = vocabulary();
        words.truncate(1_000);
        words.sort();
        words.dedup();
        assert_eq!(words.len(), 1_000);
    }
}
