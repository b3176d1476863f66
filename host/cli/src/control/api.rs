//! The JSON on the socket: requests and answers of both ends.

use serde::{Deserialize, Serialize};
use tidegate_job_file::json::JsonPath;
use tidegate_runtime::observe::JobState;

/// The path prefix of the job's endpoints.
pub(crate) const PREFIX: &str = "/api/v1";

/// Answer of `POST /job/checkpoints`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct CheckpointAnswer {
    /// The completed checkpoint.
    pub(crate) checkpoint: u64,
}

/// Body of `POST /job/savepoints`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SavepointRequest {
    /// The absolute path of the directory in which the savepoint becomes a new one.
    pub(crate) directory: JsonPath,
}

/// Answer of `POST /job/savepoints`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct SavepointAnswer {
    /// The directory of the savepoint.
    pub(crate) savepoint: JsonPath,
}

/// Body of `POST /job/stop`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct StopRequest {
    /// The absolute path of the directory in which to take a savepoint as well.
    pub(crate) savepoint: Option<JsonPath>,
    /// True if event time ends first.
    pub(crate) drain: bool,
}

/// Answer of `POST /job/stop` and `POST /job/cancel`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct EndAnswer {
    /// The final state of the job.
    pub(crate) state: JobState,
    /// The directory of the savepoint, if one was requested.
    pub(crate) savepoint: Option<JsonPath>,
}

/// The reason why a request was not carried out, after RFC 9457. The job continues as before.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ProblemAnswer {
    /// A name for the kind of problem, relative to nothing.
    #[serde(rename = "type")]
    pub(crate) kind: String,
    /// The kind in words.
    pub(crate) title: String,
    /// The HTTP status.
    pub(crate) status: u16,
    /// The explanation for the user.
    pub(crate) detail: String,
    /// The exit code of the command line for it.
    pub(crate) code: u8,
}
