//! Files in TOML that people write: what is wrong with one has a place, a message and often help.
//!
//! Job files and scenarios are read with it. [`SourceFile`] has the text, [`toml_text`] makes a
//! table of it, [`reader`] takes keys out of the table and reports those that nobody took, and
//! [`problem`] gathers what is wrong.

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
