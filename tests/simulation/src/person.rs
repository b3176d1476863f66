//! A user who now and then asks the running job for checkpoints, savepoints and its end.

use std::path::PathBuf;
use std::time::Duration;

use tidegate_runtime::{JobCommand, JobHandle};
use tokio::sync::oneshot;

use crate::faults::{Fault, Faults};

/// The time between two opportunities to ask.
const PAUSE: Duration = Duration::from_millis(20);

/// The directory for savepoints.
const SAVEPOINTS: &str = "/savepoints/of/simulated";

/// A user's request.
#[derive(Clone, Copy)]
enum Ask {
    Checkpoint,
    Savepoint,
    Stop { drain: bool },
    Cancel,
}

pub(crate) struct Person {
    pub(crate) handle: JobHandle,
    pub(crate) faults: Faults,
}

impl Person {
    /// Asks for what is planned until the job is over.
    pub(crate) async fn act(self) {
        loop {
            tokio::time::sleep(PAUSE).await;
            let asked = [
                (Fault::AskCheckpoint, Ask::Checkpoint),
                (Fault::AskSavepoint, Ask::Savepoint),
                (Fault::AskStop, Ask::Stop { drain: false }),
                (Fault::AskDrain, Ask::Stop { drain: true }),
                (Fault::AskCancel, Ask::Cancel),
            ];
            for (fault, ask) in asked {
                if self.faults.hit(fault) && !self.ask(ask).await {
                    return;
                }
            }
        }
    }

    /// Sends a request to the job. Returns false if the job is over.
    async fn ask(&self, ask: Ask) -> bool {
        let directory = PathBuf::from(SAVEPOINTS);
        match ask {
            Ask::Checkpoint => {
                let (reply, answer) = oneshot::channel();
                let asked = self.handle.send(JobCommand::Checkpoint { reply }).await;
                drop(answer.await);
                asked.is_ok()
            }
            Ask::Savepoint => {
                let (reply, answer) = oneshot::channel();
                let command = JobCommand::Savepoint { directory, reply };
                let asked = self.handle.send(command).await;
                if let Ok(Ok(savepoint)) = answer.await {
                    self.faults.savepoint_told(savepoint);
                }
                asked.is_ok()
            }
            Ask::Stop { drain } => {
                let (reply, answer) = oneshot::channel();
                let command = JobCommand::Stop {
                    drain,
                    savepoint: self.faults.coin().then_some(directory),
                    reply,
                };
                let asked = self.handle.send(command).await;
                if let Ok(Ok(Some(savepoint))) = answer.await {
                    self.faults.savepoint_told(savepoint);
                }
                asked.is_ok()
            }
            Ask::Cancel => self.handle.send(JobCommand::Cancel).await.is_ok(),
        }
    }
}
