//! HOW IT COMES BACK: what state goes where, whether it fits, whether to try again, and what to do
//! about a record that makes an operator fail each time. Pure.

mod care;
mod compatibility;
mod isolation;
mod quarantine;
mod record_fault;
mod replay_log;
mod restart_strategy;
mod restore_plan;

pub use record_fault::RecordFault;

pub(crate) use care::CarePlan;
pub(crate) use compatibility::{Resume, check_compatible, check_dropped};
pub(crate) use isolation::{Isolation, OnRecordFault};
pub(crate) use quarantine::{AttemptReport, Given, Quarantine, Verdict};
pub(crate) use replay_log::{ReplayLog, ReplayedCall};
pub(crate) use restart_strategy::RestartStrategy;
pub use restore_plan::redistribute;
pub(crate) use restore_plan::{ended_subtasks, told_watermarks};
