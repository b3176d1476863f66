//! HOW IT COMES BACK: what state goes where, whether it fits, and whether to try again. Pure.

mod compatibility;
mod restart_strategy;
mod restore_plan;

pub(crate) use compatibility::{Resume, check_compatible};
pub(crate) use restart_strategy::RestartStrategy;
pub(crate) use restore_plan::{ended_subtasks, redistribute};
