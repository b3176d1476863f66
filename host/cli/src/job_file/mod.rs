//! The job file: TOML in, a job out, and for everything that is wrong a place and what was
//! expected.
//!
//! The steps are `parse` (keys and types), `wiring` (names, ports, the graph), `connectors` and
//! `components`. Each reports all that it finds; a later step runs only if the earlier ones found
//! nothing. Reading a job file never creates or changes anything.

mod components;
mod connectors;
mod directories;
mod document;
mod error;
mod load;
mod regular_file;
// What other files of the same format are read with, too.
pub(crate) mod nodes;
pub(crate) mod parse;
pub(crate) mod problem;
pub(crate) mod reader;
pub(crate) mod schema;
pub(crate) mod settings;
mod source_file;
pub(crate) mod suggest;
mod value;
mod wiring;

#[cfg(test)]
mod tests;

pub(crate) use components::{ComponentSummary, Components};
pub(crate) use error::{FileKind, InvalidJobFile, JobFileError};
pub(crate) use load::{JobFile, LoadedJob, Loading};
pub(crate) use problem::{LocatedProblem, Position, Problem};
pub(crate) use schema::{schema, without_null};
pub(crate) use source_file::SourceFile;
