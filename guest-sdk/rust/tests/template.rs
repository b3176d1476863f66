//! The operator that `tidegate new --lang rust` writes, with its own tests, which run here as they
//! do in a new project.

#[path = "../../../host/authoring/templates/rust/src/lib.rs"]
mod new_project;
