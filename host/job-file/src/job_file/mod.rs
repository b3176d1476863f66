//! The job file: TOML in, a job out, and for every problem a place and the expected content.
//!
//! The steps are `parse` (keys and types), `wiring` (names, ports, the graph), `connectors` and
//! `components`. Each reports all problems that it finds; a later step runs only if the earlier
//! ones found none. Reading a job file never creates or changes anything.

mod components;
mod connectors;
mod directories;
mod document;
mod load;
pub(crate) mod nodes;
mod option_rows;
mod options;
mod parse;
mod reference;
mod schema;
pub(crate) mod settings;
mod tables;
mod wiring;

#[cfg(test)]
mod tests;

pub use components::{ComponentSummary, Components};
pub use load::{JobFile, LoadedJob, Loading, NamedComponent};
pub use reference::reference;
pub use schema::{schema, without_null};
pub use settings::{LimitsSchema, version_schema};
