//! The data that flows: stream elements and watermarks. Pure data, no channel and no thread.

mod element;
mod record_origin;
mod watermark;

pub use element::{Activity, CheckpointBarrier, StreamElement};
pub use record_origin::{BatchWithOrigin, RecordOrigin};
pub use watermark::{MAX_WATERMARK, MIN_WATERMARK, ToldWatermark, WatermarkMerge};
