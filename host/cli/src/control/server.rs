//! The server of a run, from its start to its end.

use std::io;
use std::path::Path;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::routes::{self, ControlState};
use super::socket::SocketPath;
use crate::terminal::Terminal;

/// The time for the last answers after the end of the run.
const LAST_ANSWERS: Duration = Duration::from_secs(2);

/// Answers requests to a running job.
#[derive(Debug)]
pub(crate) struct ControlServer {
    socket: SocketPath,
    shutdown: CancellationToken,
    serving: JoinHandle<()>,
}

impl ControlServer {
    /// Binds the socket and starts answering. Called once a run, within a tokio runtime, by the
    /// process that holds the lock of the checkpoint directory.
    pub(crate) fn start(
        directory: &Path,
        state: ControlState,
        terminal: &Terminal,
    ) -> io::Result<Self> {
        let socket = SocketPath::of(directory)?;
        let listener = socket.listen()?;
        let shutdown = CancellationToken::new();
        let ended = shutdown.clone().cancelled_owned();
        let serve = axum::serve(listener, routes::router(state)).with_graceful_shutdown(ended);
        let serving = tokio::spawn(async move { serve.await });
        let terminal = terminal.clone();
        let serving = tokio::spawn(async move {
            let served = match serving.await {
                Ok(served) => served.map_err(|error| error.to_string()),
                Err(error) => Err(error.to_string()),
            };
            if let Err(error) = served {
                terminal.say(format_args!(
                    "status, savepoint and stop can't reach this run any more: {error}"
                ));
            }
        });
        Ok(Self {
            socket,
            shutdown,
            serving,
        })
    }

    /// Stops taking new connections. Must be called before the lock is released: after that, the
    /// socket may be that of the next run.
    pub(crate) fn unlink(&self) {
        if let Err(error) = self.socket.remove() {
            tracing::warn!("the control socket could not be removed: {error}");
        }
    }

    /// Finishes the answers in progress and closes all connections, which notifies clients that the
    /// run has ended and the lock is free.
    pub(crate) async fn shut_down(self) {
        self.shutdown.cancel();
        drop(tokio::time::timeout(LAST_ANSWERS, self.serving).await);
    }
}
