//! Sources and sinks: the ends of the record path.
//!
//! | connector | kind | guarantee |
//! |---|---|---|
//! | `generator` | source | replayable |
//! | `file` | source | replayable as long as the files only grow |
//! | `stdin` | source | not replayable, so only with `accept-loss = true` |
//! | `file` | sink | exactly-once |
//! | `stdout` | sink | at-least-once |
//! | `discard` | sink | counts, keeps nothing |
//!
//! The invariants:
//! - each file connector opens one directory and reaches everything else through that handle;
//! - a connector changes or removes only files that it has made;
//! - every position and every piece of pending output starts with a version byte.
//!
//! Deliberately absent: networks, clocks other than the monotonic one that paces the generator, and
//! retries. Failures are reported; the restart strategy decides.

mod registry;

mod discard;
mod file_sink;
mod file_source;
mod generator;
mod stdin;
mod stdout;

mod byte_size;
mod input_format;
mod json_text;
mod lines;
mod pacer;
mod record_format;
mod versioned;

pub use discard::DiscardOptions;
pub use file_sink::FileSinkOptions;
pub use file_source::{FileSourceOptions, OnGrowth};
pub use generator::{Encoding, GeneratorOptions, Timestamps};
pub use input_format::{InputField, InputFormat};
pub use record_format::{JsonlValue, RecordFormat};
pub use registry::built_in;
pub use stdin::StdinOptions;
pub use stdout::StdoutOptions;
