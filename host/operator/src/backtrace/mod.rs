//! Faults as authors read them: the frames of their own code, with file and line.
//!
//! A stack arrives in two forms: as text that the language's runtime logged before it trapped, and
//! as the frames of the engine. This folder decides which frames of both are shown, and names the
//! author's own files in place of those that the language's tools made. It knows no languages: it
//! reads two forms of stack text, and the [`Sources`] that the component carries. Pure.
//!
//! Invariant: the work on a text is bounded by its length and by that of the sources, whatever they
//! contain. Nothing here escapes: see [`crate::guest_text`].

mod view;

mod engine_frames;
mod source_map;
mod sources;
mod stack_text;

pub use sources::{SourceMap, SourceRoot, Sources};
pub use view::Backtrace;

pub(crate) use engine_frames::EngineFrame;
pub(crate) use sources::SourcesSection;
pub(crate) use view::view;
