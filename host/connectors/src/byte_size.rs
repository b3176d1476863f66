//! A number of bytes in the job file.

use std::fmt;

use bytesize::ByteSize;
use schemars::JsonSchema;
use serde::de::{Deserializer, Error, Unexpected, Visitor};

/// The form of a number of bytes, for its JSON Schema: `"64KiB"`, `"1.5MB"`.
#[derive(JsonSchema)]
#[schemars(untagged, title = "size or number of bytes")]
#[expect(dead_code, reason = "only its schema is used; `read` reads the value")]
pub(crate) enum ByteSizeText {
    Bytes(u64),
    Text(String),
}

/// Reads a number of bytes. The error has examples.
pub(crate) fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ByteSize, D::Error> {
    deserializer.deserialize_any(SizeVisitor)
}

struct SizeVisitor;

impl Visitor<'_> for SizeVisitor {
    type Value = ByteSize;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a size such as \"64KiB\", \"256MiB\" or \"1GB\", or a number of bytes")
    }

    fn visit_u64<E: Error>(self, bytes: u64) -> Result<ByteSize, E> {
        Ok(ByteSize(bytes))
    }

    fn visit_i64<E: Error>(self, bytes: i64) -> Result<ByteSize, E> {
        let size = u64::try_from(bytes).map(ByteSize);
        size.map_err(|_| E::invalid_value(Unexpected::Signed(bytes), &self))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<ByteSize, E> {
        let size = text.parse();
        size.map_err(|_| E::invalid_value(Unexpected::Str(text), &self))
    }
}
