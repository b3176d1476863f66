//! Record path: router → **channel** → input gate: the limits of a channel.

use crate::config::limits;

/// The capacity of one channel. Batches up to the `joined_` sizes become one while they wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChannelLimits {
    /// Bytes of batches that a channel may hold before its sender waits.
    pub bytes: u32,
    /// The most records of a batch that was joined while it waited; 1 joins nothing.
    pub joined_rows: u32,
    /// The most bytes of such a batch.
    pub joined_bytes: u32,
    /// A receiver that sleeps is woken at once when a channel has this many bytes for it.
    pub waking_bytes: u32,
}

impl Default for ChannelLimits {
    fn default() -> Self {
        Self {
            bytes: 1 << 20,
            joined_rows: 1024,
            joined_bytes: limits::JOINED_BYTES,
            waking_bytes: limits::WAKING_BYTES,
        }
    }
}

impl ChannelLimits {
    /// Returns limits with which even a channel without room takes one batch at a time, and a
    /// receiver is woken before its channel is full.
    pub(super) fn sensible(self) -> Self {
        Self {
            bytes: self.bytes.max(1),
            waking_bytes: self.waking_bytes.min(self.bytes / 2),
            ..self
        }
    }
}
