//! The running count and sum of each key, with every update written.

use std::collections::HashMap;
use std::hint::black_box;

use foldhash::fast::FixedState;

use super::Step;
use super::columns::{Batch, Numbers, integer};

#[derive(Clone, Copy, Default)]
struct Totals {
    count: u64,
    sum: u64,
}

impl Totals {
    #[inline]
    fn add(&mut self, value: u64) {
        self.count += 1;
        self.sum = self.sum.wrapping_add(value);
    }
}

/// Returns the loop for keys of any length; it checks the length of values.
pub(super) fn of_bytes(sources: usize, keys: u64) -> Step {
    let mut sources: Vec<_> = (0..sources).map(|_| Numbers::new(keys)).collect();
    let mut totals: HashMap<Box<[u8]>, Totals, FixedState> = HashMap::default();
    let mut output = Batch::default();
    Box::new(move || {
        let mut records = 0;
        for source in &mut sources {
            let input = source.next_batch();
            output.clear();
            output.timestamps.extend_from_slice(&input.timestamps);
            for (key, value) in input.keys.rows().zip(input.values.rows()) {
                let Some(value) = integer(value) else {
                    anyhow::bail!("a value has not eight bytes");
                };
                let totals = match totals.get_mut(key) {
                    Some(totals) => totals,
                    None => totals.entry(key.into()).or_default(),
                };
                totals.add(value);
                output.keys.push(key);
                let (count, sum) = (totals.count.to_le_bytes(), totals.sum.to_le_bytes());
                output.values.push_pair(count, sum);
            }
            records += input.timestamps.len() as u64;
            black_box(&output);
        }
        Ok(records)
    })
}

/// Returns the loop for keys and values that are known to be integers.
pub(super) fn of_integers(sources: usize, keys: u64) -> Step {
    let mut sources: Vec<_> = (0..sources).map(|_| Numbers::new(keys)).collect();
    let mut totals: HashMap<u64, Totals, FixedState> = HashMap::default();
    let mut output: Vec<(i64, u64, u64, u64)> = Vec::new();
    Box::new(move || {
        let mut records = 0;
        for source in &mut sources {
            let input = source.next_batch();
            output.clear();
            let keys = input.keys.bytes().as_chunks().0.iter();
            let values = input.values.bytes().as_chunks().0.iter();
            for ((key, value), timestamp) in keys.zip(values).zip(&input.timestamps) {
                let key = u64::from_le_bytes(*key);
                let totals = totals.entry(key).or_default();
                totals.add(u64::from_le_bytes(*value));
                output.push((*timestamp, key, totals.count, totals.sum));
            }
            records += input.timestamps.len() as u64;
            black_box(&output);
        }
        Ok(records)
    })
}
