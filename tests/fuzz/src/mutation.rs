//! Changes an input in the ways that break parsers: bits, bytes, lengths, pieces. Pure.

use tidegate_random::Random;

/// Bytes at the limits of lengths, counts and characters.
const EDGES: [u8; 8] = [0x00, 0x01, 0x7f, 0x80, 0xff, 0x0a, 0x22, 0xc3];
/// Numbers at the limits, written little-endian over four or eight bytes.
const NUMBERS: [u64; 8] = [
    0,
    1,
    0x7f,
    0xffff,
    0x7fff_ffff,
    0xffff_ffff,
    1 << 62,
    u64::MAX,
];
/// The most bytes that one mutation moves.
const PIECE: usize = 32;

/// The material and limits of mutations.
pub(crate) struct Mutator<'a> {
    /// Byte strings with a meaning for the target.
    pub(crate) words: &'a [Vec<u8>],
    /// The most bytes of a mutated input.
    pub(crate) longest: usize,
}

impl Mutator<'_> {
    /// Returns `input` with one to eight changes; pieces may come from `other`.
    pub(crate) fn mutate(&self, input: &[u8], other: &[u8], random: &mut Random) -> Vec<u8> {
        let mut bytes = input.to_vec();
        let changes = 1 + random.index(8).min(random.index(8));
        for _ in 0..changes {
            self.change(&mut bytes, other, random);
        }
        bytes.truncate(self.longest);
        bytes
    }

    fn change(&self, bytes: &mut Vec<u8>, other: &[u8], random: &mut Random) {
        let at = random.index(bytes.len() + 1);
        match random.index(11) {
            0 => with_byte(
                bytes,
                at,
                |byte, random| byte ^ (1 << random.index(8)),
                random,
            ),
            1 => with_byte(bytes, at, |_, random| random.byte(), random),
            2 => with_byte(
                bytes,
                at,
                |_, random| EDGES[random.index(EDGES.len())],
                random,
            ),
            3 => with_byte(bytes, at, |byte, _| byte.wrapping_add(1), random),
            4 => with_byte(bytes, at, |byte, _| byte.wrapping_sub(1), random),
            5 => {
                let inserted = random.byte();
                bytes.insert(at, inserted);
            }
            6 => {
                let end = (at + 1 + random.index(PIECE)).min(bytes.len());
                bytes.drain(at..end);
            }
            7 => {
                let number = NUMBERS[random.index(NUMBERS.len())].to_le_bytes();
                overwrite(bytes, at, &number[..[4, 8][random.index(2)]]);
            }
            8 => {
                let piece = piece(bytes, random);
                insert(bytes, at, &piece);
            }
            9 => {
                let piece = piece(other, random);
                insert(bytes, at, &piece);
            }
            _ => match self.words {
                [] => bytes.truncate(at),
                words => {
                    let word = &words[random.index(words.len())];
                    if random.index(2) == 0 {
                        insert(bytes, at, word);
                    } else {
                        overwrite(bytes, at, word);
                    }
                }
            },
        }
    }
}

fn with_byte(
    bytes: &mut [u8],
    at: usize,
    change: impl FnOnce(u8, &mut Random) -> u8,
    random: &mut Random,
) {
    if let Some(byte) = bytes.get_mut(at) {
        *byte = change(*byte, random);
    }
}

fn overwrite(bytes: &mut [u8], at: usize, with: &[u8]) {
    let room = bytes.len() - at;
    let length = with.len().min(room);
    bytes[at..at + length].copy_from_slice(&with[..length]);
}

fn insert(bytes: &mut Vec<u8>, at: usize, piece: &[u8]) {
    bytes.splice(at..at, piece.iter().copied());
}

fn piece(bytes: &[u8], random: &mut Random) -> Vec<u8> {
    let from = random.index(bytes.len() + 1);
    let to = (from + 1 + random.index(PIECE)).min(bytes.len());
    bytes[from..to].to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_input_can_be_mutated_and_stays_within_its_length() {
        let words = [b"word".to_vec()];
        let mutator = Mutator {
            words: &words,
            longest: 64,
        };
        let mut random = Random::new(7);
        let mut input = Vec::new();
        let mut lengths = std::collections::BTreeSet::new();
        for _ in 0..20_000 {
            input = mutator.mutate(&input, b"other", &mut random);
            lengths.insert(input.len());
        }
        assert_eq!(lengths, (0..=64).collect());
    }
}
