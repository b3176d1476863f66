//! The watermark that an operator got before it was restored, and the check that it gets the same
//! one again first. Pure.
//!
//! Each snapshot holds it in a chunk without a key group, so that the operator knows it from its
//! own state.

use tidegate_operator::StateChunk;

/// The name of the chunk.
const NAME: &str = "told";

/// The watermark of one subtask, `None` before the first, and the subtask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) subtask: u32,
    pub(crate) parallelism: u32,
    pub(crate) watermark: Option<i64>,
}

impl Told {
    /// Decodes a chunk; `None` if it is another one.
    pub(crate) fn decode(chunk: &StateChunk) -> Option<Self> {
        if chunk.name != NAME {
            return None;
        }
        let fields = postcard::from_bytes(&chunk.bytes);
        let (subtask, parallelism, watermark) = fields.expect("a chunk is whole");
        Some(Self {
            subtask,
            parallelism,
            watermark,
        })
    }

    pub(crate) fn encode(self) -> StateChunk {
        let fields = (self.subtask, self.parallelism, self.watermark);
        StateChunk {
            name: NAME.to_owned(),
            schema_version: 1,
            key_group: None,
            bytes: postcard::to_allocvec(&fields).expect("a few numbers can be encoded"),
        }
    }
}

/// The watermark that a restored instance must get first; `None` if it needs none, or got it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Awaited(Option<i64>);

impl Awaited {
    /// Derives the watermark from the chunks that a subtask of `parallelism` was restored with: its
    /// own watermark, or the smallest if it got the chunks of all subtasks of another parallelism.
    /// A part of these determines nothing.
    pub(crate) fn after(restored: &[Told], parallelism: u32) -> Self {
        let Some(first) = restored.first() else {
            return Self(None);
        };
        let is_own = first.parallelism == parallelism && restored.len() == 1;
        let are_all = first.parallelism as usize == restored.len();
        if !is_own && !are_all {
            return Self(None);
        }
        Self(restored.iter().map(|told| told.watermark).min().flatten())
    }

    /// Returns the watermark that is still awaited.
    pub(crate) fn watermark(self) -> Option<i64> {
        self.0
    }

    /// Checks the arrival of a record; returns the broken promise.
    pub(crate) fn on_record(self) -> Option<String> {
        let awaited = self.0?;
        Some(format!("was not told {awaited} again before a record"))
    }

    /// Checks the arrival of a watermark; returns the broken promise.
    pub(crate) fn on_watermark(&mut self, watermark: i64) -> Option<String> {
        let awaited = self.0.take()?;
        (watermark != awaited).then(|| format!("was told {watermark} first, not {awaited} again"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn awaited(old: &[Option<i64>], old_parallelism: u32, parallelism: u32) -> Option<i64> {
        let told = (0..).zip(old).map(|(subtask, watermark)| Told {
            subtask,
            parallelism: old_parallelism,
            watermark: *watermark,
        });
        Awaited::after(&told.collect::<Vec<_>>(), parallelism).watermark()
    }

    #[test]
    fn an_instance_awaits_its_own_watermark_or_the_smallest_of_all() {
        assert_eq!(awaited(&[Some(7)], 3, 3), Some(7));
        assert_eq!(awaited(&[Some(7), Some(5)], 2, 1), Some(5));
        assert_eq!(awaited(&[Some(7), None], 2, 1), None);
        assert_eq!(awaited(&[Some(7)], 2, 3), None, "there was another");
        assert_eq!(awaited(&[], 2, 3), None);
    }
}
