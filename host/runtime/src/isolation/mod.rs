//! HOW A RECORD IS SINGLED OUT on which an operator fails each time: from what is known to what
//! each chain does about it.

mod care;
mod care_watch;
mod on_record_fault;
mod quarantine;
mod record_fault;
mod replay_log;

pub use record_fault::RecordFault;

pub(crate) use care::CarePlan;
pub(crate) use care_watch::CareWatch;
pub(crate) use on_record_fault::{Isolation, OnRecordFault};
pub(crate) use quarantine::{AttemptReport, Quarantine, Verdict};
pub(crate) use replay_log::{ReplayLog, ReplayedCall};
