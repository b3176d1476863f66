//! Errors as RFC 9457 problem details.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use tidegate_runtime::CommandError;

use super::api::ProblemAnswer;
use super::response::Json;
use crate::failure::exit_code;

/// The reason why a request failed.
#[derive(Debug)]
pub(crate) enum Problem {
    /// The endpoint does not exist.
    NotFound,
    /// The endpoint takes another method.
    MethodNotAllowed,
    /// The endpoint can't read the body.
    BadRequest {
        /// The problem with the body.
        detail: String,
    },
    /// The job rejected or failed the command.
    Command(CommandError),
    /// The job ended before it answered.
    Ended,
}

impl Problem {
    fn answer(&self) -> (StatusCode, ProblemAnswer) {
        let (status, kind, title, detail, code) = match self {
            Self::NotFound => (
                StatusCode::NOT_FOUND,
                "not-found",
                "no such endpoint",
                "see /api/v1/job".to_owned(),
                exit_code::USAGE,
            ),
            Self::MethodNotAllowed => (
                StatusCode::METHOD_NOT_ALLOWED,
                "method-not-allowed",
                "the endpoint takes a different method",
                "use POST to change the job, and GET to read it".to_owned(),
                exit_code::USAGE,
            ),
            Self::BadRequest { detail } => (
                StatusCode::BAD_REQUEST,
                "bad-request",
                "the request is malformed",
                detail.clone(),
                exit_code::USAGE,
            ),
            Self::Command(error) => of_command(error),
            Self::Ended => (
                StatusCode::GONE,
                "job-ended",
                "the job ended",
                "the job ended before it answered".to_owned(),
                exit_code::FAILED,
            ),
        };
        let answer = ProblemAnswer {
            kind: format!("tidegate:{kind}"),
            title: title.to_owned(),
            status: status.as_u16(),
            detail,
            code,
        };
        (status, answer)
    }
}

fn of_command(error: &CommandError) -> (StatusCode, &'static str, &'static str, String, u8) {
    let detail = error.to_string();
    match error {
        CommandError::CheckpointFailed { .. } => (
            StatusCode::INTERNAL_SERVER_ERROR,
            "checkpoint-failed",
            "the checkpoint failed",
            detail,
            exit_code::FAILED,
        ),
        CommandError::SavepointNotWritten { .. } => (
            StatusCode::INTERNAL_SERVER_ERROR,
            "savepoint-not-written",
            "the savepoint could not be written",
            detail,
            exit_code::FAILED,
        ),
        CommandError::NotRunning { .. } => (
            StatusCode::CONFLICT,
            "not-running",
            "the job is not running",
            detail,
            exit_code::NO_RUNNING_JOB,
        ),
    }
}

impl From<CommandError> for Problem {
    fn from(error: CommandError) -> Self {
        Self::Command(error)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, answer) = self.answer();
        let content_type = [(header::CONTENT_TYPE, "application/problem+json")];
        (status, content_type, Json(answer)).into_response()
    }
}
