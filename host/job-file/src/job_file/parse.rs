//! From text to a [`Document`].

use super::document::Document;
use super::settings::{CHECKPOINT, DEFAULTS, ISOLATION};
use super::{nodes, settings};
use crate::config_file::problem::Problems;
use crate::config_file::reader::TableReader;
use crate::config_file::setting::Section;
use crate::config_file::toml_text;

/// Reads a whole job file. Returns `None` if it can't be read any further; the problems then say
/// why.
pub(crate) fn parse<'i>(text: &'i str, problems: &Problems) -> Option<Document<'i>> {
    let root = toml_text::tables(text, problems)?;
    let mut reader = TableReader::new("the job file", 0..0, &root, problems);
    if !settings::version(&mut reader) {
        return None;
    }
    let name = settings::name(&mut reader);
    let document = Document {
        // Without a name there is a problem, so the document is not used.
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

/// Reads a table that has only the settings of `section`.
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

/// The part of a job file that identifies a running job.
#[derive(Debug)]
pub(crate) struct Address {
    /// `[checkpoint] directory`.
    pub(crate) directory: String,
    /// `name`, if the file has one.
    pub(crate) name: Option<String>,
}

/// Reads the address and ignores the rest: a running job must be reachable even while its file is
/// being edited.
pub(crate) fn address(text: &str, problems: &Problems) -> Option<Address> {
    let root = toml_text::tables(text, problems)?;
    // The other problems of the file don't concern this caller.
    let ignored = Problems::default();
    let mut reader = TableReader::new("the job file", 0..0, &root, &ignored);
    let checkpoint = section(&mut reader, "checkpoint", "[checkpoint]", &CHECKPOINT);
    Some(Address {
        directory: checkpoint.directory,
        name: settings::name(&mut reader).map(toml::Spanned::into_inner),
    })
}
