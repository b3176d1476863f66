//! The words of a text, each written with its new count in decimal.

use std::collections::HashMap;
use std::fs::File;
use std::hint::black_box;
use std::io::{Read as _, Seek as _};
use std::path::Path;

use anyhow::{Context as _, Result};
use foldhash::fast::FixedState;

use super::Step;
use super::columns::Batch;

/// The bytes that it reads at a time, as many as a batch of the job's file source has.
const BLOCK_BYTES: usize = 128 * 1024;

/// Returns the loop. It reads the file again from the start whenever it reaches the end.
pub(super) fn step(text: &Path) -> Result<Step> {
    let mut file = File::open(text).with_context(|| format!("open {}", text.display()))?;
    let mut counts: HashMap<Box<[u8]>, u64, FixedState> = HashMap::default();
    let mut output = Batch::default();
    let mut block = vec![0; BLOCK_BYTES];
    // Bytes of a word that the block before cut off, at the start of `block`.
    let mut held_back = 0;
    Ok(Box::new(move || {
        let read = file.read(&mut block[held_back..])?;
        if read == 0 {
            file.rewind()?;
        }
        let filled = held_back + read;
        let end = match block[..filled].iter().rposition(u8::is_ascii_whitespace) {
            Some(last) if read > 0 => last + 1,
            _ => filled,
        };
        output.clear();
        let words = block[..end].split(u8::is_ascii_whitespace);
        for word in words.filter(|word| !word.is_empty()) {
            let count = match counts.get_mut(word) {
                Some(count) => count,
                None => counts.entry(word.into()).or_default(),
            };
            *count += 1;
            output.timestamps.push(i64::MIN);
            output.keys.push(word);
            output
                .values
                .push(itoa::Buffer::new().format(*count).as_bytes());
        }
        block.copy_within(end..filled, 0);
        held_back = filled - end;
        black_box(&output);
        Ok(output.timestamps.len() as u64)
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_counted_wherever_a_block_ends() -> Result<()> {
        let file = tempfile::NamedTempFile::new()?;
        let text = "tide gate \n".repeat(100_000);
        std::fs::write(file.path(), &text)?;
        let mut step = step(file.path())?;
        let mut words = 0;
        // Enough steps for the text once, and the one that finds its end.
        for _ in 0..=text.len() / BLOCK_BYTES + 1 {
            words += step()?;
        }
        assert_eq!(words, 200_000);
        Ok(())
    }
}
