//! Keys of eight bytes that an attacker would choose to make a hash table slow.

/// A function that returns an endless or very long supply of different keys.
pub type ChosenKeys = fn() -> Box<dyn Iterator<Item = [u8; 8]>>;

/// Every kind, with its name.
pub const CHOSEN_KEYS: [(&str, ChosenKeys); 3] = [
    ("one hash in SplitMix64", || Box::new(in_split_mix())),
    ("one hash in QuickJS", || Box::new(in_quickjs())),
    ("counting in the upper bits", || {
        Box::new((0..1 << 20).map(|number: u64| (number << 44).to_le_bytes()))
    }),
];

/// Returns keys that no attacker chose.
pub fn other_keys() -> impl Iterator<Item = [u8; 8]> {
    (1_u64..).map(|number| split_mix(number.wrapping_mul(0x9e37_79b9_7f4a_7c15)).to_le_bytes())
}

/// Returns keys whose `SplitMix64` (Steele, Lea and Flood 2014) has the same upper half. The
/// function is a bijection that anyone can invert.
fn in_split_mix() -> impl Iterator<Item = [u8; 8]> {
    const UPPER: u64 = 0x1234_5678 << 32;
    let length = 8_u64.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let key = move |lower: u64| {
        let mut word = UPPER | lower;
        word = word.wrapping_mul(inverse(0x94d0_49bb_1331_11eb));
        word ^= word >> 27 ^ word >> 54;
        word = word.wrapping_mul(inverse(0xbf58_476d_1ce4_e5b9));
        word ^= word >> 30 ^ word >> 60;
        (word ^ length).to_le_bytes()
    };
    (0..1 << 32).map(key)
}

/// Returns the inverse of an odd number modulo 2^64, by Newton's method.
fn inverse(odd: u64) -> u64 {
    (0..6).fold(odd, |x, _| {
        x.wrapping_mul(2_u64.wrapping_sub(odd.wrapping_mul(x)))
    })
}

fn split_mix(mut word: u64) -> u64 {
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

/// Returns keys that are the same number in base 263 modulo 2^32, which is the engine's hash of a
/// string. The first four bytes are arbitrary; the others are the missing digits, if these are
/// bytes.
fn in_quickjs() -> impl Iterator<Item = [u8; 8]> {
    (0..u32::MAX).filter_map(|first| {
        let mut key = [0; 8];
        key[..4].copy_from_slice(&first.wrapping_mul(0x9e37_79b1).to_be_bytes());
        let mut missing = 0x1234_5678_u32.wrapping_sub(quickjs_hash(&key));
        for digit in key[4..].iter_mut().rev() {
            *digit = u8::try_from(missing % 263).ok()?;
            missing /= 263;
        }
        (missing == 0).then_some(key)
    })
}

fn quickjs_hash(text: &[u8]) -> u32 {
    text.iter().fold(0, |hash: u32, byte| {
        hash.wrapping_mul(263).wrapping_add(u32::from(*byte))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn chosen_keys_differ_and_have_one_hash_where_they_are_to_have_one() {
        for (kind, keys) in CHOSEN_KEYS {
            let keys: HashSet<_> = keys().take(10_000).collect();
            assert_eq!(keys.len(), 10_000, "{kind}");
        }
        for key in in_quickjs().take(1000) {
            assert_eq!(quickjs_hash(&key), 0x1234_5678, "{key:?}");
        }
        for key in in_split_mix().take(1000) {
            let length = 8_u64.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let mixed = split_mix(u64::from_le_bytes(key) ^ length);
            // The table's function does not include the last step.
            let before = mixed ^ (mixed >> 31) ^ (mixed >> 62);
            assert_eq!(before >> 32, 0x1234_5678, "{key:?}");
        }
    }
}
