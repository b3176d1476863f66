//! What clap says about arguments, with the arguments escaped: they are not our text.

use clap::error::{ContextKind, ContextValue, Error};
use tidegate_operator::shown_text;

/// The error, in which nothing that was passed steers a terminal or makes a line of its own.
pub(super) fn escaped(mut error: Error) -> Error {
    let context: Vec<(ContextKind, ContextValue)> = error
        .context()
        .filter_map(|(kind, value)| Some((kind, escaped_value(value)?)))
        .collect();
    for (kind, value) in context {
        error.insert(kind, value);
    }
    error
}

/// None for a value that holds no text of others: numbers, and what clap has styled itself.
fn escaped_value(value: &ContextValue) -> Option<ContextValue> {
    let escaped = |text: &String| shown_text(text).to_string();
    if let ContextValue::String(text) = value {
        return Some(ContextValue::String(escaped(text)));
    }
    let ContextValue::Strings(texts) = value else {
        return None;
    };
    Some(ContextValue::Strings(texts.iter().map(escaped).collect()))
}
