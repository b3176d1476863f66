//! The generated bindings of `wit/`, and nothing else. Only `export` and `host` name them.

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
    reason = "generated code, which has to call across the sandbox boundary"
)]

wit_bindgen::generate!({
    path: "../../wit",
    world: "stream-operator",
    pub_export_macro: true,
    export_macro_name: "export_bindings",
    default_bindings_module: "tidegate_sdk::bindings",
});
