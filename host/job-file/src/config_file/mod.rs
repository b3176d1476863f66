//! Files in TOML that people write. Each problem has a place, a message and often help.
//!
//! Job files and scenarios are read with it. [`SourceFile`] has the text, [`toml_text`] parses it
//! into a table, [`reader`] reads keys from the table and reports the unknown ones, and [`problem`]
//! collects the problems.

mod error;
pub mod problem;
pub mod reader;
pub(crate) mod regular_file;
pub mod setting;
mod source_file;
pub mod suggest;
pub mod toml_text;
pub(crate) mod value;

pub use error::{ConfigFileError, FileKind, InvalidConfigFile};
pub use problem::{FoundProblems, LocatedProblem, Position, Problem, Problems, Span, Subject};
pub use source_file::SourceFile;
