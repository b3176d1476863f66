//! Tools that the tests of the real binary share: they find built files, describe a job, run and
//! kill it, and read its output.

mod chosen_keys;
mod counting;
mod exact;
mod guests;
mod job;
mod job_text;
mod kills;
mod output;
mod packages;
mod process;
mod small_disk;
mod wait;
pub mod wat_guest;
mod workspace;

pub use chosen_keys::{CHOSEN_KEYS, ChosenKeys, other_keys};
pub use counting::Counting;
pub use exact::{Expected, assert_counts, assert_every_update_once};
pub use guests::{COUNTERS, guest};
pub use job::JobDirectory;
pub use job_text::JobText;
pub use kills::{Kills, kill_until_finished};
pub use output::{published_line_count, published_lines, published_parts};
pub use packages::Packages;
pub use process::{Finished, Running, tidegate, tidegate_command};
pub use small_disk::{SmallDisk, bind_mount, read_only};
pub use wait::{start_and_wait, wait_for_status, wait_until, wait_until_it_runs};
pub use wat_guest::WatGuest;
pub use workspace::{binary, lock, workspace_root};
