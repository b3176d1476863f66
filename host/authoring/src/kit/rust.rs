//! Rust: crates of cargo.

use super::{LanguageKit, SdkKit, begins_with_letter, quoted};

pub(crate) const KIT: LanguageKit = LanguageKit {
    manifest: "Cargo.toml",
    sdk: SdkKit {
        package: "tidegate-sdk",
        place: "guest-sdk/rust",
        mark: "name = \"tidegate-sdk\"",
        in_folder: |path| format!("{{ path = {} }}", quoted(path)),
        copied: "{ path = \"sdk\" }",
    },
    folder: "rust",
    name_problem,
    export_remedy: "call `export_operator!` at the crate's top level",
};

/// Names that cargo rejects or that have another meaning for it: keywords, crates of the compiler,
/// and folders of its own.
const NOT_CRATES: [&str; 61] = [
    "abstract",
    "alloc",
    "as",
    "async",
    "await",
    "become",
    "box",
    "break",
    "build",
    "const",
    "continue",
    "core",
    "crate",
    "deps",
    "do",
    "dyn",
    "else",
    "enum",
    "examples",
    "extern",
    "false",
    "final",
    "fn",
    "for",
    "gen",
    "if",
    "impl",
    "in",
    "incremental",
    "let",
    "loop",
    "macro",
    "match",
    "mod",
    "move",
    "mut",
    "override",
    "priv",
    "proc_macro",
    "pub",
    "ref",
    "return",
    "self",
    "static",
    "std",
    "struct",
    "super",
    "test",
    "tidegate_sdk",
    "trait",
    "true",
    "try",
    "type",
    "typeof",
    "unsafe",
    "unsized",
    "use",
    "virtual",
    "where",
    "while",
    "yield",
];

fn name_problem(name: &str) -> Option<String> {
    if !begins_with_letter(name) {
        return Some("a crate's name begins with a letter".to_owned());
    }
    let is_taken = NOT_CRATES.contains(&name.replace('-', "_").as_str());
    is_taken.then(|| {
        format!("Rust, cargo or the SDK uses it already; choose another, such as `{name}-operator`")
    })
}
