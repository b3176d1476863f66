//! From text to a table of TOML.

use toml::de::DeTable;

use super::problem::{Problem, Problems};

/// The most syntax errors reported. Later ones are consequences of the first.
const SYNTAX_ERRORS: usize = 8;

/// Parses a text as TOML and returns its root table.
pub fn tables<'i>(text: &'i str, problems: &Problems) -> Option<DeTable<'i>> {
    let (root, errors) = DeTable::parse_recoverable(text);
    for error in errors.iter().take(SYNTAX_ERRORS) {
        let span = error.span().unwrap_or(text.len()..text.len());
        problems.push(Problem::at(
            span,
            format!("not TOML: {}", error.message().trim_end()),
        ));
    }
    errors.is_empty().then(|| root.into_inner())
}
