//! The client end of the socket: the requests of `status`, `savepoint`, `stop` and `cancel`.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::{Method, Request, StatusCode, header};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tidegate_operator::shown;

use super::api::{EndAnswer, PREFIX, ProblemAnswer};
use super::api::{SavepointAnswer, SavepointRequest, StopRequest};
use super::job_answer::JobAnswer;
use super::socket::SocketPath;
use crate::failure::Failure;

/// More bytes than the status of the largest job has; only a part of it grows with the job file.
pub(super) const LONGEST_ANSWER: usize = 64 << 20;

/// A client of the job that runs on a checkpoint directory.
#[derive(Debug)]
pub(crate) struct Client {
    directory: PathBuf,
    timeout: Option<Duration>,
}

/// The event to wait for after the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Until {
    /// No event.
    Answered,
    /// The run has ended and the directory's lock is free.
    Ended,
}

impl Client {
    /// Returns a client that waits no longer than `timeout`.
    pub(crate) fn new(directory: &Path, timeout: Option<Duration>) -> Self {
        Self {
            directory: directory.to_owned(),
            timeout,
        }
    }

    /// Returns the status of the job.
    pub(crate) fn status(&self) -> Result<JobAnswer, Failure> {
        self.ask(Method::GET, "/job", &(), Until::Answered)
    }

    /// Takes a savepoint into a new directory inside `directory`.
    pub(crate) fn savepoint(&self, directory: PathBuf) -> Result<SavepointAnswer, Failure> {
        let request = SavepointRequest {
            directory: directory.into(),
        };
        self.ask(Method::POST, "/job/savepoints", &request, Until::Answered)
    }

    /// Stops the job; returns when its process has released the directory.
    pub(crate) fn stop(&self, request: &StopRequest) -> Result<EndAnswer, Failure> {
        self.ask(Method::POST, "/job/stop", request, Until::Ended)
    }

    /// Ends the job without a checkpoint; returns when its process has released the directory.
    pub(crate) fn cancel(&self) -> Result<EndAnswer, Failure> {
        self.ask(Method::POST, "/job/cancel", &(), Until::Ended)
    }

    fn ask<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: &impl Serialize,
        until: Until,
    ) -> Result<T, Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(Failure::io("start the client"))?;
        let request = self.request(method, path, body)?;
        let exchange = self.exchange(request, until);
        let (status, answer) = match self.timeout {
            None => runtime.block_on(exchange)?,
            Some(timeout) => {
                let limited = async { tokio::time::timeout(timeout, exchange).await };
                let timed_out = |_| Failure::TimedOut { waited: timeout };
                runtime.block_on(limited).map_err(timed_out)??
            }
        };
        if status.is_success() {
            return serde_json::from_slice(&answer).map_err(|error| self.no_answer(&error));
        }
        let problem: ProblemAnswer =
            serde_json::from_slice(&answer).map_err(|error| self.no_answer(&error))?;
        Err(Failure::Refused {
            detail: problem.detail,
            exit_code: problem.code,
        })
    }

    fn request(
        &self,
        method: Method,
        path: &str,
        body: &impl Serialize,
    ) -> Result<Request<Full<Bytes>>, Failure> {
        let body = match method {
            Method::GET => Vec::new(),
            _ => serde_json::to_vec(body).map_err(|error| self.no_answer(&error))?,
        };
        Request::builder()
            .method(method)
            .uri(format!("{PREFIX}{path}"))
            .header(header::HOST, "localhost")
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(body)))
            .map_err(|error| self.no_answer(&error))
    }

    async fn exchange(
        &self,
        request: Request<Full<Bytes>>,
        until: Until,
    ) -> Result<(StatusCode, Bytes), Failure> {
        let stream = self.connect().await?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| self.no_answer(&error))?;
        // Ends when either side closes the connection; the result does not matter.
        let mut connection = tokio::spawn(async move { drop(connection.await) });
        let response = sender.send_request(request).await;
        let response = response.map_err(|error| self.no_answer(&error))?;
        let status = response.status();
        let body = Limited::new(response.into_body(), LONGEST_ANSWER)
            .collect()
            .await;
        let body = body
            .map_err(|error| self.no_answer(error.as_ref()))?
            .to_bytes();
        if until == Until::Ended && status.is_success() {
            // The process closes the connection once it has given up the lock.
            drop((&mut connection).await);
        }
        Ok((status, body))
    }

    async fn connect(&self) -> Result<tokio::net::UnixStream, Failure> {
        let connected = match SocketPath::of(&self.directory) {
            Ok(socket) => socket.connect().await,
            Err(error) => Err(error),
        };
        let is_absent = |error: &io::Error| {
            matches!(
                error.kind(),
                io::ErrorKind::NotFound
                    | io::ErrorKind::NotADirectory
                    | io::ErrorKind::ConnectionRefused
            )
        };
        connected.map_err(|error| {
            if is_absent(&error) {
                let directory = self.directory.clone();
                return Failure::NoRunningJob { directory };
            }
            let action = format!("reach the job on {}", shown(&self.directory));
            Failure::io(action)(error)
        })
    }

    fn no_answer(&self, error: &dyn std::error::Error) -> Failure {
        Failure::NoAnswer {
            directory: self.directory.clone(),
            reason: crate::terminal::chain(error),
        }
    }
}
