//! HOW RECORDS ARE ISOLATED on which an operator fails each time: from the history of faults to the
//! steps of each chain. Pure.

mod plan;
mod planner;
mod record_fault;
mod replay_log;
mod subtask_isolation;
mod watch;

pub use record_fault::RecordFault;

pub(crate) use plan::IsolationPlan;
pub(crate) use planner::{AfterFault, AttemptReport, IsolationPlanner};
pub(crate) use replay_log::{ReplayLog, ReplayedCall};
pub(crate) use subtask_isolation::{IsolationStep, SubtaskIsolation};
pub(crate) use watch::IsolationWatch;
