//! The key groups that each subtask owns. Pure. The ranges are Flink's to the bit
//! (`KeyGroupRangeAssignment`) and part of the checkpoint format.

use std::ops::RangeInclusive;

/// The distribution of `max_parallelism` key groups over `parallelism` subtasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyGroups {
    max_parallelism: u32,
    parallelism: u32,
}

impl KeyGroups {
    /// # Panics
    ///
    /// Unless `1 <= parallelism <= max_parallelism <= 32768`; a job graph checks that.
    #[must_use]
    pub fn new(max_parallelism: u32, parallelism: u32) -> Self {
        assert!(parallelism >= 1, "a node has at least one subtask");
        assert!(parallelism <= max_parallelism, "a subtask owns a key group");
        assert!(max_parallelism <= 1 << 15, "max-parallelism is bounded");
        Self {
            max_parallelism,
            parallelism,
        }
    }

    /// Returns the number of key groups.
    #[must_use]
    pub fn max_parallelism(self) -> u32 {
        self.max_parallelism
    }

    /// Returns the number of subtasks.
    #[must_use]
    pub fn parallelism(self) -> u32 {
        self.parallelism
    }

    /// Returns the key groups of subtask `index`:
    /// `(index * max + p - 1) / p ..= ((index + 1) * max - 1) / p`.
    #[must_use]
    pub fn owned_by(self, index: u32) -> RangeInclusive<u32> {
        assert!(index < self.parallelism, "there is no such subtask");
        let (max, p) = (self.max_parallelism, self.parallelism);
        (index * max).div_ceil(p)..=((index + 1) * max - 1) / p
    }

    /// Returns the subtask that owns `key_group`.
    #[must_use]
    pub fn owner(self, key_group: u32) -> u32 {
        key_group * self.parallelism / self.max_parallelism
    }

    /// Replaces each key group by the subtask that owns it. Faster than [`Self::owner`] for many.
    pub fn replace_with_owners(self, key_groups: &mut [u32]) {
        let (max, parallelism) = (self.max_parallelism, self.parallelism);
        let shift = max.trailing_zeros();
        if max.is_power_of_two() && parallelism.is_power_of_two() {
            let shift = shift - parallelism.trailing_zeros();
            key_groups.iter_mut().for_each(|group| *group >>= shift);
        } else if max.is_power_of_two() {
            for group in key_groups {
                *group = (*group * parallelism) >> shift;
            }
        } else {
            for group in key_groups {
                *group = self.owner(*group);
            }
        }
    }

    /// Returns the subtask that owns the key group of `key`.
    #[inline]
    #[must_use]
    pub fn subtask_for(self, key: &[u8]) -> u32 {
        self.owner(crate::key_group(key, self.max_parallelism))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ranges_are_the_documented_ones() {
        let ranges = |p: u32| {
            (0..p)
                .map(|i| KeyGroups::new(128, p).owned_by(i))
                .collect::<Vec<_>>()
        };
        assert_eq!(ranges(3), [0..=42, 43..=85, 86..=127]);
        assert_eq!(ranges(5), [0..=25, 26..=51, 52..=76, 77..=102, 103..=127]);
    }

    proptest! {
        #[test]
        fn every_key_group_has_exactly_one_owner(
            max in prop_oneof![1u32..=1024, (0u32..=10).prop_map(|bits| 1 << bits)],
            p in prop_oneof![1u32..=1024, (0u32..=10).prop_map(|bits| 1 << bits)],
        ) {
            prop_assume!(p <= max);
            let groups = KeyGroups::new(max, p);
            let mut next = 0;
            for index in 0..p {
                for group in groups.owned_by(index) {
                    prop_assert_eq!(group, next);
                    prop_assert_eq!(groups.owner(group), index);
                    let mut owner = [group];
                    groups.replace_with_owners(&mut owner);
                    prop_assert_eq!(owner, [index]);
                    next += 1;
                }
            }
            prop_assert_eq!(next, max);
        }
    }
}
