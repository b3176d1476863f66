//! What operators are written with: new projects, builds of components, and scenarios.

pub mod build;
mod kit;
mod language;
pub mod project;
pub mod scenario;

pub use language::Language;
