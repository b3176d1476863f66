//! What the tests of the real binary share: finding what was built, describing a job, running and
//! killing it, and reading what it published.

mod chosen_keys;
mod counting;
mod job;
mod output;
mod packages;
mod process;
mod random;
mod small_disk;
pub mod wat_guest;
mod workspace;

pub use chosen_keys::{CHOSEN_KEYS, ChosenKeys, other_keys};
pub use counting::Counting;
pub use job::JobDirectory;
pub use output::{published_line_count, published_lines, published_parts};
pub use packages::Packages;
pub use process::{Finished, Running, tidegate, tidegate_command};
pub use random::Random;
pub use small_disk::{SmallDisk, bind_mount, read_only};
pub use wat_guest::WatGuest;
pub use workspace::{binary, guest, workspace_root};
