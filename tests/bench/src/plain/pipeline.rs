//! Five changes of each value, one after the other, as the guest `stage` makes them.

use std::hint::black_box;

use super::Step;
use super::columns::{Batch, Numbers, integer};

const STAGES: u32 = 5;

/// Returns a step of `SplitMix64`.
#[inline]
fn mixed(value: u64) -> u64 {
    (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9)
}

#[inline]
fn all_stages(value: u64) -> u64 {
    (0..STAGES).fold(value, |value, _| mixed(value))
}

/// Returns the loop for keys of any length; it checks the length of values.
pub(super) fn of_bytes(keys: u64) -> Step {
    let mut source = Numbers::new(keys);
    let mut output = Batch::default();
    Box::new(move || {
        let input = source.next_batch();
        output.clear();
        output.timestamps.extend_from_slice(&input.timestamps);
        for (key, value) in input.keys.rows().zip(input.values.rows()) {
            let Some(value) = integer(value) else {
                anyhow::bail!("a value has not eight bytes");
            };
            output.keys.push(key);
            output.values.push(&all_stages(value).to_le_bytes());
        }
        black_box(&output);
        Ok(input.timestamps.len() as u64)
    })
}

/// Returns the loop for keys and values that are known to be integers.
pub(super) fn of_integers(keys: u64) -> Step {
    let mut source = Numbers::new(keys);
    let mut output: Vec<(i64, u64, u64)> = Vec::new();
    Box::new(move || {
        let input = source.next_batch();
        output.clear();
        let keys = input.keys.bytes().as_chunks().0.iter();
        let values = input.values.bytes().as_chunks().0.iter();
        for ((key, value), timestamp) in keys.zip(values).zip(&input.timestamps) {
            let value = all_stages(u64::from_le_bytes(*value));
            output.push((*timestamp, u64::from_le_bytes(*key), value));
        }
        black_box(&output);
        Ok(input.timestamps.len() as u64)
    })
}
