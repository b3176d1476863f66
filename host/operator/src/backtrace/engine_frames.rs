//! The frames of the engine: which of them are the author's own.
//!
//! A frame belongs to others if its function has a name of the SDK, of a language's library, or of
//! the code that the compiler adds; or if it has no name.

/// A function of the guest that was running.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct EngineFrame {
    /// The name in the form of its language, escaped; or its number.
    pub(crate) function: String,
    /// False if the component does not name the function.
    pub(crate) is_named: bool,
    /// The file and line, escaped, if the component has debug information.
    pub(crate) place: Option<String>,
}

/// Names between a panic and its trap, where `*` stands for any rest: of functions, and of the
/// modules and namespaces that they are in.
const PANIC_MACHINERY: [&str; 20] = [
    "__rust_*",
    "__rustc::*",
    "rust_panic",
    "rust_begin_unwind",
    "core::panicking::*",
    "core::result::unwrap_failed",
    "core::option::unwrap_failed",
    "core::option::expect_failed",
    "core::slice::index::slice_index_fail",
    "core::ops::function::FnOnce::call_once*",
    "std::panicking::*",
    "std::panic::*",
    "std::process::abort",
    "std::alloc::*",
    "std::sys::*",
    "alloc::alloc::handle_alloc_error",
    "alloc::raw_vec::*",
    "panic_abort::*",
    "abort",
    "__abort",
];

/// Names of functions that no author of an operator wrote.
const FOREIGN: [&str; 17] = [
    // SDKs, and the exported functions.
    "tidegate_sdk::*",
    "tidegate:*",
    "tidegate::*",
    "tg_*",
    "typed_open",
    "typed_process",
    "typed_restore",
    "typed_snapshot",
    "typed_watermark",
    "wit_bindgen*",
    // Libraries of the languages, and their allocators.
    "core::*",
    "alloc::*",
    "std::*",
    "dlmalloc*",
    "_ZNSt*",
    "_ZNKSt*",
    "cabi_*",
];

/// Returns the frames, innermost first, without those that carry a panic to its trap, unless no
/// others are left.
pub(super) fn all(mut frames: Vec<EngineFrame>) -> Vec<EngineFrame> {
    let is_machinery = |frame: &&EngineFrame| matches(&PANIC_MACHINERY, &frame.function);
    let machinery = frames.iter().take_while(is_machinery).count();
    if machinery < frames.len() {
        frames.drain(..machinery);
    }
    frames
}

/// Returns the author's own frames, innermost first; if there are none, those with a name; and if
/// there are none of these, all.
pub(super) fn own(frames: Vec<EngineFrame>) -> Vec<EngineFrame> {
    let frames = all(frames);
    let kept = |keep: fn(&EngineFrame) -> bool| -> Option<Vec<EngineFrame>> {
        let kept: Vec<_> = frames.iter().filter(|frame| keep(frame)).cloned().collect();
        (!kept.is_empty()).then_some(kept)
    };
    let own = kept(|frame| frame.is_named && !matches(&FOREIGN, &frame.function));
    own.or_else(|| kept(|frame| frame.is_named))
        .unwrap_or(frames)
}

impl std::fmt::Display for EngineFrame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.function)?;
        match &self.place {
            Some(place) => write!(f, " ({place})"),
            None => Ok(()),
        }
    }
}

fn matches(patterns: &[&str], function: &str) -> bool {
    // A method is in the module of its type: `<core::iter::Map<I, F> as Iterator>::next`.
    let name = function.trim_start_matches(['<', '&']);
    patterns
        .iter()
        .any(|pattern| match pattern.strip_suffix('*') {
            Some(start) => name.starts_with(start),
            None => function == *pattern,
        })
}

#[cfg(test)]
mod tests;
