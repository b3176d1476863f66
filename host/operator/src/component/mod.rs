//! FROM A FILE TO SOMETHING THAT CAN BE INSTANTIATED: a component is checked, compiled and cached.

pub(crate) mod code_cache;
mod compiling;
mod file_kind;
mod loader;
mod refusal;
mod structure;
mod system_needs;

pub use code_cache::{CodeCache, CodeCacheError};
pub use loader::Component;
pub use refusal::{Direction, Refusal, RefusalCause};
pub use system_needs::SystemNeeds;
