//! HOW IT COMES BACK: what state goes where, whether it fits, and whether to try again. Pure.

mod compatibility;
mod restart_strategy;
mod restore_plan;
mod restored_state;

pub use compatibility::{IncompatibleJob, UnknownOperator};
pub use restore_plan::redistribute;

pub(crate) use compatibility::{Resume, check_compatible, check_dropped};
pub(crate) use restart_strategy::RestartStrategy;
pub(crate) use restore_plan::told_watermarks;
pub(crate) use restored_state::{ReadState, ended_now, operator_state};
