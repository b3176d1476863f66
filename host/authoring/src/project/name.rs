//! Which names a project can have. Pure.

use super::error::NewProjectError;
use crate::language::Language;

/// Names that cargo refuses or that mean something else to it: keywords, crates of the compiler,
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

/// Targets that CMake makes by itself, and those of the SDK.
const NOT_CMAKE_TARGETS: [&str; 12] = [
    "all",
    "clean",
    "depend",
    "edit_cache",
    "help",
    "install",
    "package",
    "rebuild_cache",
    "test",
    "tidegate",
    "tidegate_sdk",
    "tidegate_testing",
];

/// Accepts what can be the name of an operator in a job file and of a package.
pub(super) fn check(name: &str, language: Language) -> Result<(), NewProjectError> {
    let bad = |reason: String| {
        let name = name.to_owned();
        Err(NewProjectError::BadName { name, reason })
    };
    let is_fine = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if !(1..=64).contains(&name.len()) || !name.chars().all(is_fine) {
        return bad("as an operator's, it has 1 to 64 of a-z, A-Z, 0-9, `-` and `_`".to_owned());
    }
    match language {
        Language::JavaScript => {
            let is_lower = !name.contains(|c: char| c.is_ascii_uppercase());
            if !is_lower || name.starts_with('_') || name == "node_modules" {
                let reason = "a package's name is lower case, and does not begin with `_`";
                return bad(reason.to_owned());
            }
            Ok(())
        }
        Language::Python => {
            let is_outer = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
            if !is_outer(name.chars().next()) || !is_outer(name.chars().next_back()) {
                return bad("a package's name begins and ends with a letter or digit".to_owned());
            }
            if name.replace('_', "-").eq_ignore_ascii_case("tidegate-sdk") {
                return bad("it is the name of the SDK".to_owned());
            }
            Ok(())
        }
        Language::Go => check_go(name).map_or(Ok(()), |reason| bad(reason.to_owned())),
        Language::Rust => {
            if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
                return bad("a crate's name begins with a letter".to_owned());
            }
            if NOT_CRATES.contains(&name.replace('-', "_").as_str()) {
                return bad(format!(
                    "it means something else to Rust or cargo; choose another, such as \
                     `{name}-operator`"
                ));
            }
            Ok(())
        }
        Language::C => {
            if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
                return bad("a CMake target's name begins with a letter".to_owned());
            }
            if NOT_CMAKE_TARGETS.contains(&name) {
                return bad(format!(
                    "it means something else to CMake; choose another, such as `{name}-operator`"
                ));
            }
            Ok(())
        }
    }
}

/// What the go command has against a name as the last part of a module's path.
fn check_go(name: &str) -> Option<&'static str> {
    let lower = name.to_ascii_lowercase();
    let numbered = |stem: &str| {
        let rest = lower.strip_prefix(stem);
        rest.is_some_and(|rest| !rest.is_empty() && rest.chars().all(|c| c.is_ascii_digit()))
    };
    if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return Some("a module's name begins with a letter");
    }
    if numbered("v") {
        return Some("at the end of a module's path it is a version");
    }
    let is_device = ["aux", "con", "nul", "prn"].contains(&lower.as_str());
    if is_device || numbered("com") || numbered("lpt") {
        return Some("it is a device to Windows, and refused in a module's path");
    }
    None
}
