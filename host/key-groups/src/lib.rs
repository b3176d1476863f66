//! Key groups, the unit in which keyed state moves when parallelism changes: the group of a key,
//! the groups of a subtask, and the new place of state after a change.
//!
//! Both sides of the sandbox use this definition: the host routes records with it and the SDK
//! groups state with it. The function and the ranges are Flink's, to the bit
//! (`MathUtils.murmurHash` over a 32-bit hash of the key, which here is FNV-1a;
//! `KeyGroupRangeAssignment`), so that a chunk of state can move into Flink and back. They are part
//! of the checkpoint format and never change.

mod bulk;
mod ranges;
mod redistribution;

pub use bulk::KeyGroupFunction;
pub use ranges::KeyGroups;
pub use redistribution::redistribute;

/// Returns the key group of `key`: `murmur(fnv1a32(key)) mod max_parallelism`.
///
/// ```
/// assert_eq!(tidegate_key_groups::key_group(b"flink", 128), 115);
/// ```
///
/// # Panics
///
/// If `max_parallelism` is 0.
#[inline]
#[must_use]
pub fn key_group(key: &[u8], max_parallelism: u32) -> u32 {
    murmur(fnv1a32(key)) % max_parallelism
}

/// The FNV-1a hash of no bytes.
const FNV_BASIS: u32 = 0x811c_9dc5;
const FNV_PRIME: u32 = 0x0100_0193;

/// Returns FNV-1a over 32 bits: <http://www.isthe.com/chongo/tech/comp/fnv/>.
#[inline]
fn fnv1a32(key: &[u8]) -> u32 {
    key.iter().fold(FNV_BASIS, |hash, byte| {
        (hash ^ u32::from(*byte)).wrapping_mul(FNV_PRIME)
    })
}

/// Applies one Murmur3 round to a 32-bit hash: xor 4 (the length in bytes), final mix, absolute
/// value. The smallest integer has no absolute value and becomes 0.
#[inline]
fn murmur(hash: u32) -> u32 {
    let mut code = hash.wrapping_mul(0xcc9e_2d51);
    code = code.rotate_left(15);
    code = code.wrapping_mul(0x1b87_3593);
    code = code.rotate_left(13);
    code = code.wrapping_mul(5).wrapping_add(0xe654_6b64);
    code ^= 4;
    code = (code ^ (code >> 16)).wrapping_mul(0x85eb_ca6b);
    code = (code ^ (code >> 13)).wrapping_mul(0xc2b2_ae35);
    code ^= code >> 16;
    match code.cast_signed() {
        i32::MIN => 0,
        signed => signed.unsigned_abs(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn murmur_agrees_with_flink() {
        let vectors = [
            (0, 593_689_054),
            (1, 68_075_478),
            (-1, 1_982_413_648),
            (42, 1_134_849_565),
            (123_456_789, 1_088_346_449),
            (i32::MIN, 1_718_298_732),
            (i32::MAX, 1_653_689_534),
        ];
        for (hash, expected) in vectors {
            assert_eq!(murmur(hash.cast_unsigned()), expected, "hash {hash}");
        }
    }

    #[test]
    fn key_groups_at_128_are_the_documented_ones() {
        let vectors: [(&[u8], u32); 4] = [(b"", 6), (b"a", 7), (b"key-1", 81), (b"flink", 115)];
        for (key, expected) in vectors {
            assert_eq!(key_group(key, 128), expected, "key {key:?}");
        }
    }
}
