//! Scenarios: the input of an operator and its expected output, in a file independent of languages.
//!
//! The steps are `find` (which files), `load` and `parse` (keys, types, the component), `run` (each
//! step against real instances) and `difference` (expected beside actual output). A scenario plays
//! the whole job around one operator: it routes records, takes snapshots, restores and rescales
//! with the runtime's own rules. Nothing here prints.

mod document;
mod record;

mod find;
mod load;
mod parse;
mod schema;

mod difference;
mod run;
mod stage;
mod state;

#[cfg(test)]
mod tests;

pub use difference::Difference;
pub use find::{NothingToTest, Place, find};
pub use load::{LoadedScenario, ScenarioFile};
pub use record::Record;
pub use run::{Failed, run};
pub use schema::schema;
