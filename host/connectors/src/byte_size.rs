//! The form of a number of bytes in the job file, for its JSON Schema.

use schemars::JsonSchema;

/// A number of bytes, or text with a unit: `"64KiB"`, `"1.5MB"`.
#[derive(JsonSchema)]
#[schemars(untagged, title = "size or number of bytes")]
#[expect(
    dead_code,
    reason = "only its schema is used; `bytesize` reads the value"
)]
pub(crate) enum ByteSizeText {
    Bytes(u64),
    Text(String),
}
