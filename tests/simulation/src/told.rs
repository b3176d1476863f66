//! What an operator was told of event time before it was restored, and whether it is told that
//! again before anything else. Pure.
//!
//! Each snapshot says it in a chunk without a key group, so that the operator knows by itself.

use tidegate_operator::StateChunk;

/// The name of the chunk.
const NAME: &str = "told";

/// The watermark of one subtask, none before the first, and which subtask it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) subtask: u32,
    pub(crate) parallelism: u32,
    pub(crate) watermark: Option<i64>,
}

impl Told {
    /// None if it is another chunk.
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

/// What a restored instance must be told first; none if it need not be told anything, or has been.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Awaited(Option<i64>);

impl Awaited {
    /// From what a subtask of `parallelism` was restored with: its own watermark, or the smallest
    /// if all of another parallelism came to it. A part of those says nothing.
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

    /// What is still awaited.
    pub(crate) fn watermark(self) -> Option<i64> {
        self.0
    }

    /// A record comes: what is wrong with that.
    pub(crate) fn on_record(self) -> Option<String> {
        let awaited = self.0?;
        Some(format!("was not told {awaited} again before a record"))
    }

    /// A watermark comes: what is wrong with that.
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
