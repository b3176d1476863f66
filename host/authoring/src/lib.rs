//! The tools of operator authors: new projects, builds of components, and scenarios.

pub mod build;
mod kit;
mod language;
pub mod project;
pub mod scenario;
pub mod tools;

pub use language::Language;
