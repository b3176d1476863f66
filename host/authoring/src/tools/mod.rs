//! The tools of languages: where a build looks for them, which versions it wants, and how they get
//! onto a machine.
//!
//! This folder knows files, versions and package managers. It does not know how a compiler is
//! called; `build` does, and reports what it finds as [`ToolReport`]s.

mod places;
mod report;
mod version;

mod pins;
mod system;

mod fix;

pub(crate) use fix::own_folder;
pub use fix::{FixError, fix};
pub(crate) use pins::{COMPONENTIZE_PY_VERSION, COMPONENTIZE_QJS_VERSION, ESBUILD_VERSION};
pub(crate) use places::{Places, cache_folder, is_program};
pub(crate) use report::Found;
pub use report::{Origin, ToolReport, ToolState, UsedTool};
pub(crate) use system::System;
pub(crate) use version::Version;
