//! What flows: stream elements and watermarks. Pure data, no channel and no thread.

mod element;
mod origin;
mod watermark;

pub use element::{CheckpointBarrier, StreamElement};
pub use origin::{Origin, TracedBatch};
pub use watermark::{MAX_WATERMARK, MIN_WATERMARK, ToldWatermark, WatermarkMerge};
