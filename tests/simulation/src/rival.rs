//! A second owner, who takes a directory of output from the running job, as a run on another
//! machine could whose file system does not share locks.
//!
//! From then on the job may publish nothing more there. Between two lives of the process the
//! directory is restored, and the job continues.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tidegate_runtime::JobHandle;
use tidegate_runtime::observe::JobState;

use crate::disk::{SimulatedDisk, Takeover};
use crate::faults::{Fault, Faults};

/// The time between two opportunities.
const PAUSE: Duration = Duration::from_millis(15);

/// A directory that was taken.
#[derive(Debug)]
pub(crate) struct Taken {
    /// The sink that lost it.
    pub(crate) sink: String,
    pub(crate) takeover: Takeover,
    /// The names that were visible in it then.
    pub(crate) visible: BTreeSet<String>,
}

/// The directory that was taken from the job in this life, if any.
#[derive(Clone, Debug, Default)]
pub(crate) struct Booty(Arc<Mutex<Option<Taken>>>);

impl Booty {
    fn lock(&self) -> MutexGuard<'_, Option<Taken>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn is_there(&self) -> bool {
        self.lock().is_some()
    }

    /// Removes and returns the directory, so that it can be restored.
    pub(crate) fn take(&self) -> Option<Taken> {
        self.lock().take()
    }
}

pub(crate) struct Rival {
    pub(crate) handle: JobHandle,
    pub(crate) faults: Faults,
    pub(crate) disk: SimulatedDisk,
    pub(crate) booty: Booty,
    /// The job's sinks.
    pub(crate) sinks: Vec<String>,
}

impl Rival {
    /// Takes directories as planned until the process is over. Acts between two steps of the
    /// scheduler, so never in the middle of a publication.
    pub(crate) async fn act(self) {
        loop {
            tokio::time::sleep(PAUSE).await;
            // Before the job runs, it may not have the directory yet.
            let is_running = self.handle.status().state == JobState::Running;
            if is_running && !self.booty.is_there() && self.faults.hit(Fault::SecondOwner) {
                self.take();
            }
        }
    }

    fn take(&self) {
        let sink = self.sinks[self.faults.index(self.sinks.len())].clone();
        if !self.disk.is_output_locked(&sink) {
            let violation = format!("{sink}: a second owner could lock the directory");
            self.faults.violation(violation);
        }
        let takeover = self.disk.take_over(&sink, self.faults.coin());
        *self.booty.lock() = Some(Taken {
            visible: self.disk.visible(&takeover),
            sink,
            takeover,
        });
    }
}
