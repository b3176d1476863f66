//! `version`, which is read first: in another version, keys may mean anything.

use schemars::{Schema, SchemaGenerator};
use toml::de::DeValue;

use crate::config_file::problem::Problem;
use crate::config_file::reader::TableReader;
use crate::config_file::value;

/// The supported version of the format.
const VERSION: i64 = 1;

/// Returns the JSON Schema of `version`, which allows one value.
pub fn version_schema(_: &mut SchemaGenerator) -> Schema {
    schemars::json_schema!({ "type": "integer", "const": VERSION })
}

/// Checks `version`. Returns false if the file has another version and can't be read further.
pub fn version(root: &mut TableReader<'_, '_>) -> bool {
    let problems = root.problems();
    let Some((key, found)) = root.entry("version") else {
        let title = root.title();
        let problem = Problem::at(0..0, format!("{title} has no `version`"));
        problems.push(problem.help(format!(
            "expected `version = 1`, the version of {title}'s format"
        )));
        return true;
    };
    let DeValue::Integer(number) = found.get_ref() else {
        root.wrong_type("version", found, "the integer 1");
        return true;
    };
    match value::integer(number) {
        Some(VERSION) => true,
        Some(newer) if newer > VERSION => {
            let message = format!(
                "{} has version {newer}; this tidegate ({}) reads version {VERSION}",
                root.title(),
                env!("CARGO_PKG_VERSION")
            );
            problems.push(Problem::at(found.span(), message).help("use a newer tidegate"));
            false
        }
        Some(_) | None => {
            let message = format!("`version` is {number}");
            let place = key.span().start..found.span().end;
            problems.push(Problem::at(place, message).help("expected `version = 1`"));
            false
        }
    }
}
