//! From text to a [`Document`].

use super::document::Document;
use super::{nodes, settings};
use crate::config_file::problem::{Problem, Problems};
use crate::config_file::reader::TableReader;
use crate::config_file::toml_text;

/// Reads a whole job file. None if it can't be read any further; the problems then say why.
pub(crate) fn parse<'i>(text: &'i str, problems: &Problems) -> Option<Document<'i>> {
    let root = toml_text::tables(text, problems)?;
    let mut reader = TableReader::new("the job file", 0..0, &root, problems);
    if !settings::version(&mut reader, problems) {
        return None;
    }
    let name = reader.text("name", "the job's name");
    let name = reader.required(
        name,
        "name",
        "the job's name, such as `name = \"word-count\"`",
    );
    if let Some(name) = &name {
        check_job_name(name, problems);
    }
    let (checkpoint_directory, checkpoint) = settings::checkpoint(&mut reader);
    let restart = settings::restart(&mut reader, problems);
    let isolation = settings::isolation(&mut reader);
    let defaults = settings::defaults(&mut reader);
    let nodes = nodes::nodes(&mut reader, problems);
    reader.finish();
    Some(Document {
        // Without a name there is a problem, and nothing that is named will be used.
        name: name.map(toml::Spanned::into_inner).unwrap_or_default(),
        checkpoint_directory,
        checkpoint,
        restart,
        isolation,
        defaults,
        nodes,
    })
}

/// `[checkpoint] directory` and nothing else: a job that runs must be reachable even while its
/// file is being edited.
pub(crate) fn checkpoint_directory(text: &str, problems: &Problems) -> Option<String> {
    let root = toml_text::tables(text, problems)?;
    // What else is wrong with the file is not this caller's concern.
    let ignored = Problems::default();
    let mut reader = TableReader::new("the job file", 0..0, &root, &ignored);
    Some(settings::checkpoint(&mut reader).0)
}

/// The job's name stands in savepoints, metrics and messages, so the rule for nodes holds for it.
fn check_job_name(name: &toml::Spanned<String>, problems: &Problems) {
    let is_fine = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let text = name.get_ref();
    if text.len() > 64 || !text.chars().all(is_fine) {
        let message = format!("the job's name is {text:?}");
        let help = "expected 1 to 64 of a-z, A-Z, 0-9, `-` and `_`";
        problems.push(Problem::at(name.span(), message).help(help));
    }
}
