//! The endpoints. A request that takes time is answered when it is carried out.

use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::de::DeserializeOwned;
use tidegate_checkpoint::JobGraph;
use tidegate_job_file::json::JsonPath;
use tidegate_operator::shown;
use tidegate_runtime::observe::{CheckpointStatus, JobState, prometheus_text};
use tidegate_runtime::{CommandError, JobCommand, JobHandle};
use tokio::sync::oneshot;

use super::api::{
    CheckpointAnswer, EndAnswer, PREFIX, SavepointAnswer, SavepointRequest, StopRequest,
};
use super::job_answer::JobAnswer;
use super::own_directories::OwnDirectories;
use super::problem_json::Problem;
use super::response::Json;

/// The job behind the endpoints.
#[derive(Clone, Debug)]
pub(crate) struct ControlState {
    /// The running job.
    pub(crate) job: JobHandle,
    /// Its graph.
    pub(crate) graph: Arc<JobGraph>,
    /// The directories in which no savepoint may be created.
    pub(crate) own: Arc<OwnDirectories>,
}

/// Returns all endpoints.
pub(crate) fn router(state: ControlState) -> Router {
    let probes = Router::new()
        .route("/livez", get(async || "alive\n"))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics_text));
    let job = Router::new()
        .route("/job", get(job))
        .route("/job/graph", get(graph))
        .route("/job/checkpoints", get(checkpoints).post(checkpoint))
        .route("/job/savepoints", post(savepoint))
        .route("/job/stop", post(stop))
        .route("/job/cancel", post(cancel));
    Router::new()
        .merge(probes.clone())
        .nest(PREFIX, probes.merge(job))
        .fallback(async || Problem::NotFound)
        .method_not_allowed_fallback(async || Problem::MethodNotAllowed)
        .with_state(state)
}

async fn readyz(State(state): State<ControlState>) -> (StatusCode, String) {
    let job = state.job.status().state;
    let code = match job {
        JobState::Running | JobState::Stopping => StatusCode::OK,
        JobState::Restoring
        | JobState::Restarting
        | JobState::Finished
        | JobState::Stopped
        | JobState::Cancelled
        | JobState::Failed => StatusCode::SERVICE_UNAVAILABLE,
    };
    (code, format!("{job}\n"))
}

async fn metrics_text(State(state): State<ControlState>) -> Response {
    let content_type = [(
        header::CONTENT_TYPE,
        "text/plain; version=0.0.4; charset=utf-8",
    )];
    (content_type, prometheus_text(&state.job.status())).into_response()
}

async fn job(State(state): State<ControlState>) -> Json<JobAnswer> {
    Json(JobAnswer::of(state.job.status()))
}

async fn graph(State(state): State<ControlState>) -> Json<JobGraph> {
    Json(JobGraph::clone(&state.graph))
}

async fn checkpoints(State(state): State<ControlState>) -> Json<CheckpointStatus> {
    Json(state.job.status().checkpoints)
}

async fn checkpoint(State(state): State<ControlState>) -> Result<Json<CheckpointAnswer>, Problem> {
    let id = ask(&state.job, |reply| JobCommand::Checkpoint { reply }).await?;
    Ok(Json(CheckpointAnswer { checkpoint: id.0 }))
}

async fn savepoint(
    State(state): State<ControlState>,
    body: Bytes,
) -> Result<Json<SavepointAnswer>, Problem> {
    let SavepointRequest { directory } = read(&body)?;
    let directory = place_of_savepoint(&state, directory)?;
    let command = |reply| JobCommand::Savepoint { directory, reply };
    let savepoint = ask(&state.job, command).await?;
    Ok(Json(SavepointAnswer {
        savepoint: savepoint.into(),
    }))
}

async fn stop(State(state): State<ControlState>, body: Bytes) -> Result<Json<EndAnswer>, Problem> {
    let StopRequest { savepoint, drain } = if body.is_empty() {
        StopRequest::default()
    } else {
        read(&body)?
    };
    let savepoint = savepoint.map(|path| place_of_savepoint(&state, path));
    let savepoint = savepoint.transpose()?;
    let command = |reply| JobCommand::Stop {
        drain,
        savepoint,
        reply,
    };
    let savepoint = ask(&state.job, command).await?.map(JsonPath);
    let state = ended(&state.job).await;
    Ok(Json(EndAnswer { state, savepoint }))
}

async fn cancel(State(state): State<ControlState>) -> Result<Json<EndAnswer>, Problem> {
    state.job.send(JobCommand::Cancel).await?;
    Ok(Json(EndAnswer {
        state: ended(&state.job).await,
        savepoint: None,
    }))
}

/// Sends a command and waits for its reply.
async fn ask<T>(
    job: &JobHandle,
    command: impl FnOnce(oneshot::Sender<Result<T, CommandError>>) -> JobCommand,
) -> Result<T, Problem> {
    let (reply, answer) = oneshot::channel();
    job.send(command(reply)).await?;
    match answer.await {
        Ok(result) => Ok(result?),
        Err(_) => Err(Problem::Ended),
    }
}

/// Waits until the job is in a final state.
async fn ended(job: &JobHandle) -> JobState {
    let is_ended = |state: JobState| match state {
        JobState::Finished | JobState::Stopped | JobState::Cancelled | JobState::Failed => true,
        JobState::Restoring | JobState::Running | JobState::Stopping | JobState::Restarting => {
            false
        }
    };
    let mut status = job.watch();
    // An error means that the job is gone; its last status then shows how it ended.
    drop(status.wait_for(|status| is_ended(status.state)).await);
    job.status().state
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(body).map_err(|error| Problem::BadRequest {
        detail: error.to_string(),
    })
}

/// Returns the directory for a savepoint, if one may be created there. The client does not know the
/// working directory of this process, so the path must be absolute.
fn place_of_savepoint(state: &ControlState, path: JsonPath) -> Result<PathBuf, Problem> {
    let JsonPath(path) = path;
    if !path.is_absolute() {
        let detail = format!("{} is not an absolute path", shown(&path));
        return Err(Problem::BadRequest { detail });
    }
    let refused = state.own.refuse(&path);
    refused.map_err(|detail| Problem::BadRequest { detail })?;
    Ok(path)
}
