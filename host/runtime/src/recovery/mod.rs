//! HOW IT COMES BACK: the place of old state, whether it fits, and whether to try again. Pure.

mod changed_options;
mod compatibility;
mod restart_strategy;
mod restored_state;
mod resumed_subtasks;

pub use changed_options::UnknownSource;
pub use compatibility::{AllowedChanges, IncompatibleJob, UnknownOperator};

pub(crate) use changed_options::check_accepted;
pub(crate) use compatibility::{Resume, check_compatible, check_dropped};
pub(crate) use restart_strategy::RestartStrategy;
pub(crate) use restored_state::{ReadState, ended_now, operator_state};
pub(crate) use resumed_subtasks::told_watermarks;
