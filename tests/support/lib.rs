//! What the tests of the real binary share: finding what was built, describing a job, running and
//! killing it, and reading what it published.

mod job;
mod output;
mod process;
mod random;
mod workspace;

pub use job::JobDirectory;
pub use output::{published_lines, published_parts};
pub use process::{Finished, Running, tidegate};
pub use random::Random;
pub use workspace::{guest, workspace_root};
