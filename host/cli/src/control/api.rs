//! What goes over the socket, as JSON: requests and answers of both ends.

use serde::{Deserialize, Serialize};
use tidegate_job_file::json::JsonPath;
use tidegate_runtime::observe::JobState;

/// Where the job's endpoints are.
pub(crate) const PREFIX: &str = "/api/v1";

/// Answer of `POST /job/checkpoints`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct CheckpointAnswer {
    /// The checkpoint that is now complete.
    pub(crate) checkpoint: u64,
}

/// Body of `POST /job/savepoints`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SavepointRequest {
    /// The savepoint becomes a new directory in here. An absolute path.
    pub(crate) directory: JsonPath,
}

/// Answer of `POST /job/savepoints`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct SavepointAnswer {
    /// The savepoint's own directory.
    pub(crate) savepoint: JsonPath,
}

/// Body of `POST /job/stop`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct StopRequest {
    /// Also take a savepoint into a new directory in here. An absolute path.
    pub(crate) savepoint: Option<JsonPath>,
    /// End event time first.
    pub(crate) drain: bool,
}

/// Answer of `POST /job/stop` and `POST /job/cancel`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct EndAnswer {
    /// What the job came to.
    pub(crate) state: JobState,
    /// The savepoint's own directory, if one was asked for.
    pub(crate) savepoint: Option<JsonPath>,
}

/// Why a request was not carried out, after RFC 9457. The job goes on as before.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ProblemAnswer {
    /// A name for the kind of problem, relative to nothing.
    #[serde(rename = "type")]
    pub(crate) kind: String,
    /// The kind in words.
    pub(crate) title: String,
    /// The HTTP status.
    pub(crate) status: u16,
    /// What happened.
    pub(crate) detail: String,
    /// The exit code that the command line gives for it.
    pub(crate) code: u8,
}
