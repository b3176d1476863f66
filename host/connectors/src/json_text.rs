//! Checks of JSON text, for sources and sinks. Pure.

use serde::Deserialize as _;
use serde::de::IgnoredAny;

/// Checks that `text` is JSON (RFC 8259), in time that grows with its length only: no depth costs
/// stack. An error is the reason why it is not.
pub(crate) fn check(text: &str) -> Result<(), String> {
    let mut parser = serde_json::Deserializer::from_str(text);
    let checked = IgnoredAny::deserialize(&mut parser).and_then(|_| parser.end());
    checked.map_err(|error| not_json(text, &error))
}

/// Returns the reason for `text` that the parser rejects.
pub(crate) fn not_json(text: &str, error: &serde_json::Error) -> String {
    let message = error.to_string();
    let problem = message
        .rsplit_once(" at line ")
        .map_or(&*message, |(problem, _)| problem);
    let lines_before = text
        .split_inclusive('\n')
        .take(error.line().saturating_sub(1));
    let byte = lines_before.map(str::len).sum::<usize>() + error.column();
    format!("it is not JSON: {problem} at its byte {byte}")
}
