//! Tests of `hash`.

use super::*;
use crate::state::key::Key;
use crate::state::table::{Entry, Table};

const SEEDS: [u64; 3] = [1, 2, 0x7469_6465_6761_7465];

/// Returns the number of slots read to find every key of two tables, one filled key by key and
/// one restored.
fn probes(seed: u64, keys: impl Iterator<Item = Vec<u8>> + Clone) -> u64 {
    let entry = |key: Vec<u8>| Entry {
        key: Key::new(&key),
        key_group: 0,
        state: (),
    };
    let mut table = Table::new(seed);
    for key in keys.clone() {
        table.insert(entry(key));
    }
    let mut restored = Table::new(seed);
    let mut entries = keys.map(entry);
    let extended = restored.extend(|| Ok::<_, ()>(entries.next()));
    assert_eq!(extended, Ok(()));
    table.probes() + restored.probes()
}

fn bytes(word: u64) -> Vec<u8> {
    word.to_le_bytes().to_vec()
}

/// Returns a key that no one chose.
fn spread(number: u64) -> Vec<u8> {
    bytes(split_mix(&mut (number << 20)))
}

/// Returns one of many keys that have the same hash in a `SplitMix64` with a known seed.
fn same_in_split_mix(number: u64) -> Vec<u8> {
    let mut mixed = 0x1234_5678 << 32 | number;
    mixed = mixed.wrapping_mul(inverse(0x94d0_49bb_1331_11eb));
    mixed ^= mixed >> 27 ^ mixed >> 54;
    mixed = mixed.wrapping_mul(inverse(0xbf58_476d_1ce4_e5b9));
    mixed ^= mixed >> 30 ^ mixed >> 60;
    bytes(mixed ^ 8_u64.wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

/// Returns the inverse of an odd number modulo 2^64, by Newton's method.
fn inverse(odd: u64) -> u64 {
    (0..6).fold(odd, |x, _| {
        x.wrapping_mul(2_u64.wrapping_sub(odd.wrapping_mul(x)))
    })
}

/// Returns a key whose pairs of words differ from those of other keys in the uppermost bit, and
/// in the result of an odd factor and a shift, so that the second word cancels the change of
/// the first.
fn taken_back(number: u64) -> Vec<u8> {
    let pair = |pair| {
        let bit = number >> pair & 1;
        [bytes(bit << 63), bytes(bit << 63 | bit << 31)].concat()
    };
    (0..PAIRS).flat_map(pair).collect()
}

fn long_spread(number: u64) -> Vec<u8> {
    let mut state = number << 20;
    let words = std::iter::repeat_with(|| bytes(split_mix(&mut state)));
    words.take(2 * PAIRS).flatten().collect()
}

const PAIRS: usize = 16;

#[test]
fn keys_that_are_chosen_take_at_most_twice_as_many_probes() {
    const KEYS: u64 = 200_000;
    type Key = fn(u64) -> Vec<u8>;
    let kinds: [(&str, Key); 3] = [
        ("one hash in SplitMix64", same_in_split_mix),
        ("counting", bytes),
        ("counting in the upper bits", |number| bytes(number << 44)),
    ];
    for seed in SEEDS {
        let good = probes(seed, (0..KEYS).map(spread));
        for (kind, key) in kinds {
            let bad = probes(seed, (0..KEYS).map(key));
            assert!(
                bad <= 2 * good,
                "seed {seed}, {kind}: {bad}, {good} of others"
            );
        }
    }
}

#[test]
fn long_keys_that_are_chosen_take_at_most_twice_as_many_probes() {
    const KEYS: u64 = 1 << PAIRS;
    for seed in SEEDS {
        let good = probes(seed, (0..KEYS).map(long_spread));
        let bad = probes(seed, (0..KEYS).map(taken_back));
        assert!(bad <= 2 * good, "seed {seed}: {bad}, {good} of others");
    }
}

/// Finds, by trial, keys of `length` bytes whose hashes under `seed` have the same twelve upper
/// or lower bits.
fn same_under(seed: u64, length: usize, number: usize, is_upper: bool) -> Vec<Vec<u8>> {
    let hasher = KeyHasher::new(seed);
    let mut state = length as u64;
    let candidates = std::iter::repeat_with(|| {
        let words = [split_mix(&mut state), split_mix(&mut state)];
        let mut key = words.map(bytes).concat();
        key.truncate(length);
        key
    });
    let shift = if is_upper { 20 } else { 0 };
    let same = candidates.filter(|key| hasher.hash(key) >> shift & 0xfff == 0x5a5);
    same.take(number).collect()
}

/// Returns the largest number of these keys that have the same twelve bits of their hash.
fn fullest(seed: u64, keys: &[Vec<u8>], is_upper: bool) -> usize {
    let hasher = KeyHasher::new(seed);
    let mut buckets = vec![0; 1 << 12];
    for key in keys {
        let shift = if is_upper { 20 } else { 0 };
        buckets[(hasher.hash(key) >> shift & 0xfff) as usize] += 1;
    }
    buckets.into_iter().max().unwrap_or(0)
}

#[test]
fn keys_that_collide_under_a_seed_that_is_known_spread_under_another() {
    const KEYS: usize = 400;
    for (length, is_upper) in (9..=16).flat_map(|length| [(length, true), (length, false)]) {
        for known in [0, 1 << 63] {
            let keys = same_under(known, length, KEYS, is_upper);
            assert_eq!(fullest(known, &keys, is_upper), KEYS, "they do collide");
            for seed in SEEDS {
                // Of 400 balls in 4,096 bins, seven share one in less than 1 of 10^6 cases.
                let most = fullest(seed, &keys, is_upper);
                assert!(
                    most < 7,
                    "{length} bytes, seed {seed}: {most} in one of 4,096"
                );
            }
        }
    }
}

/// Returns two keys of 16 bytes that have one hash under `hasher`, and nearly always different
/// hashes under others. The shortest vector (a, b) of the lattice a·x + b·y = 0 modulo 2^64 is
/// the distance that the upper halves of the two words have to move to cancel each other.
/// `None` if it is too far.
fn pair_under(hasher: &KeyHasher, number: u64) -> Option<[Vec<u8>; 2]> {
    let (low, high) = (number & 0xffff, number >> 16);
    let x = hasher.lanes[0][0].wrapping_add(low);
    let y = hasher.tail[0][0].wrapping_add(high);
    if y & 1 == 0 {
        return None;
    }
    let ratio = x.wrapping_mul(inverse(y)).wrapping_neg();
    // Euclid's algorithm, until a is about as long as b.
    let (mut before, mut now) = ((0_i128, 1_i128 << 64), (1_i128, i128::from(ratio)));
    while now.1 >= 1 << 32 {
        let times = before.1 / now.1;
        let next = (before.0 - times * now.0, before.1 - times * now.1);
        (before, now) = (now, next);
    }
    let up = |by: i128| u64::try_from(by.max(0)).ok().filter(|by| by >> 32 == 0);
    let word = |low: u64, high: u64| bytes(low | high << 32);
    let (there, back) = ((up(now.0)?, up(now.1)?), (up(-now.0)?, up(-now.1)?));
    Some([there, back].map(|(a, b)| [word(low, a), word(high, b)].concat()))
}

#[test]
fn pairs_that_are_computed_to_collide_under_a_known_seed_do_not_under_another() {
    for known in [0, 7] {
        let hasher = KeyHasher::new(known);
        let pairs = (0..4_000).filter_map(|number| pair_under(&hasher, number << 8 | number));
        let pairs: Vec<[Vec<u8>; 2]> = pairs.collect();
        assert!(pairs.len() > 500, "only {} pairs", pairs.len());
        for [one, other] in &pairs {
            assert_ne!(one, other);
            assert_eq!(hasher.hash(one), hasher.hash(other), "they do collide");
        }
        for seed in SEEDS {
            let hasher = KeyHasher::new(seed);
            let collide = |[one, other]: &&[Vec<u8>; 2]| hasher.hash(one) == hasher.hash(other);
            assert_eq!(pairs.iter().filter(collide).count(), 0, "seed {seed}");
        }
    }
}

#[test]
fn every_bit_of_the_seed_and_of_the_key_changes_the_hash() {
    for length in [
        1, 8, 9, 12, 16, 17, 24, 31, 32, 33, 40, 63, 64, 65, 96, 100, 1_000,
    ] {
        let key = long_spread(length as u64).repeat(4)[..length].to_vec();
        for seed in SEEDS {
            let hash = KeyHasher::new(seed).hash(&key);
            for bit in 0..64 {
                let other = KeyHasher::new(seed ^ 1 << bit).hash(&key);
                assert_ne!(hash, other, "{length} bytes, bit {bit} of seed {seed}");
            }
            for bit in 0..8 * length {
                let mut other = key.clone();
                other[bit / 8] ^= 1 << (bit % 8);
                let other = KeyHasher::new(seed).hash(&other);
                assert_ne!(hash, other, "bit {bit} of {length} bytes, seed {seed}");
            }
        }
    }
}

#[test]
fn another_seed_is_another_function() {
    let long = [b'x'; 100];
    for length in 1..100 {
        let hashes = SEEDS.map(|seed| KeyHasher::new(seed).hash(&long[..length]));
        assert!(
            hashes[0] != hashes[1] && hashes[1] != hashes[2],
            "length {length}"
        );
    }
}
