//! The operators that `tidegate new --lang rust` writes, with their own tests, which run here as
//! they do in a new project.

#[path = "../../../host/authoring/templates/rust/map/src/lib.rs"]
mod map;

#[path = "../../../host/authoring/templates/rust/keyed-state/src/lib.rs"]
mod keyed_state;

#[path = "../../../host/authoring/templates/rust/two-inputs/src/lib.rs"]
mod two_inputs;

#[path = "../../../host/authoring/templates/rust/raw/src/lib.rs"]
mod raw;
