//! From text to a [`Document`].

use super::document::Document;
use super::settings::{CHECKPOINT, DEFAULTS, ISOLATION};
use super::{nodes, settings};
use crate::config_file::problem::Problems;
use crate::config_file::reader::TableReader;
use crate::config_file::setting::Section;
use crate::config_file::toml_text;

/// Reads a whole job file. None if it can't be read any further; the problems then say why.
pub(crate) fn parse<'i>(text: &'i str, problems: &Problems) -> Option<Document<'i>> {
    let root = toml_text::tables(text, problems)?;
    let mut reader = TableReader::new("the job file", 0..0, &root, problems);
    if !settings::version(&mut reader) {
        return None;
    }
    let name = settings::name(&mut reader);
    let document = Document {
        // Without a name there is a problem, and nothing that is named will be used.
        name: name.map(toml::Spanned::into_inner).unwrap_or_default(),
        checkpoint: section(&mut reader, "checkpoint", "[checkpoint]", &CHECKPOINT),
        restart: settings::restart(&mut reader),
        isolation: section(&mut reader, "isolation", "[isolation]", &ISOLATION),
        defaults: section(&mut reader, "defaults", "[defaults]", &DEFAULTS),
        nodes: nodes::nodes(&mut reader, problems),
    };
    reader.finish();
    Some(document)
}

/// A table with nothing but the settings of `section`.
fn section<S: Default>(
    root: &mut TableReader<'_, '_>,
    key: &'static str,
    title: &str,
    section: &Section<S>,
) -> S {
    let Some(mut table) = root.table(key, title) else {
        return S::default();
    };
    let read = section.read(&mut table);
    table.finish();
    read
}

/// `[checkpoint] directory` and nothing else: a job that runs must be reachable even while its
/// file is being edited.
pub(crate) fn checkpoint_directory(text: &str, problems: &Problems) -> Option<String> {
    let root = toml_text::tables(text, problems)?;
    // What else is wrong with the file is not this caller's concern.
    let ignored = Problems::default();
    let mut reader = TableReader::new("the job file", 0..0, &root, &ignored);
    let checkpoint = section(&mut reader, "checkpoint", "[checkpoint]", &CHECKPOINT);
    Some(checkpoint.directory)
}
