//! The generated bindings of `wit/`, and nothing else. Only `export` and `host` name them.
//!
//! They are committed, because the generator would be most of the code that cargo compiles in an
//! author's first build. The test `bindings` compares them with the generator's output; with
//! `TIDEGATE_WRITE_BINDINGS=1`, it writes them.

#![allow(
    unsafe_code,
    missing_docs,
    unreachable_pub,
    unused_qualifications,
    clippy::all,
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    clippy::undocumented_unsafe_blocks,
    clippy::doc_markdown,
    clippy::missing_errors_doc,
    clippy::cast_possible_truncation,
    clippy::too_many_lines,
    clippy::unwrap_used,
    reason = "generated code, which has to call across the sandbox boundary"
)]

include!("bindings/stream_operator.in");
