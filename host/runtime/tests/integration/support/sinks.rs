//! A two-phase sink in memory that outlives attempts and runs, and remembers published output.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tidegate_connector::sink::{PendingOutput, PreCommit, Sink, SinkConnector, SinkStart};
use tidegate_connector::{CheckpointId, ConnectorError, Lineage, SubtaskId};
use tidegate_operator::Batch;

use super::faults::{Call, Faults};
use super::sources::planned_failure;

/// The place of output. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Output {
    contents: Arc<Mutex<Contents>>,
    faults: Faults,
    /// The time that the next pre-commit takes to make output durable.
    pre_commit_takes: Arc<Mutex<Duration>>,
}

#[derive(Default)]
struct Contents {
    /// Durable, unpublished output, by name.
    staged: BTreeMap<String, Vec<String>>,
    published: BTreeMap<String, Vec<String>>,
}

impl Output {
    pub(crate) fn new(faults: &Faults) -> Self {
        Self {
            faults: faults.clone(),
            ..Self::default()
        }
    }

    pub(crate) fn with_one_slow_pre_commit(faults: &Faults, takes: Duration) -> Self {
        Self {
            pre_commit_takes: Arc::new(Mutex::new(takes)),
            ..Self::new(faults)
        }
    }

    /// Returns all published records as `key=value`, sorted.
    pub(crate) fn published(&self) -> Vec<String> {
        let published = self.with(|contents| contents.published.clone());
        let mut records: Vec<String> = published.into_values().flatten().collect();
        records.sort();
        records
    }

    /// Returns the names of durable, unpublished output.
    pub(crate) fn staged(&self) -> BTreeSet<String> {
        self.with(|contents| contents.staged.keys().cloned().collect())
    }

    fn publish(&self, pending: &[PendingOutput]) {
        for name in names(pending) {
            self.with(|contents| {
                if contents.published.contains_key(&name) {
                    return;
                }
                match contents.staged.remove(&name) {
                    Some(records) => drop(contents.published.insert(name, records)),
                    None => self.faults.violation(format!("{name} is lost")),
                }
            });
        }
    }

    fn with<T>(&self, act: impl FnOnce(&mut Contents) -> T) -> T {
        act(&mut self.contents.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn names(pending: &[PendingOutput]) -> Vec<String> {
    let names = pending.iter().map(|output| output.0.clone());
    names.map(|name| String::from_utf8(name).unwrap()).collect()
}

impl SinkConnector for Output {
    fn connector(&self) -> &'static str {
        "memory"
    }

    fn is_exactly_once(&self) -> bool {
        true
    }

    fn check_fresh(&self) -> Result<(), ConnectorError> {
        if self.published().is_empty() {
            return Ok(());
        }
        Err(ConnectorError::JobRefused {
            reason: "there is output already".to_owned(),
        })
    }

    fn recover(&self, start: &SinkStart) -> Result<(), ConnectorError> {
        if self.faults.hit(Call::Recover) {
            return Err(planned_failure("recover"));
        }
        let newer = self.with(|contents| {
            let own = format!("{}/{}/", start.lineage, start.sink);
            let mut names = contents
                .published
                .keys()
                .filter(|name| name.starts_with(&own));
            names.any(|name| checkpoint_of(name) > start.checkpoint)
        });
        if newer {
            let reason = "newer output is published".to_owned();
            return Err(ConnectorError::StateRefused { reason });
        }
        self.publish(&start.pending);
        let sink = format!("/{}/", start.sink);
        self.with(|contents| contents.staged.retain(|name, _| !name.contains(&sink)));
        Ok(())
    }

    fn open(
        &self,
        subtask: &SubtaskId,
        lineage: Lineage,
        attempt: u64,
    ) -> Result<Box<dyn Sink>, ConnectorError> {
        Ok(Box::new(Writer {
            output: self.clone(),
            name: format!("{lineage}/{}/{}/{attempt}", subtask.operator, subtask.index),
            records: Vec::new(),
        }))
    }

    fn commit(
        &self,
        _checkpoint: CheckpointId,
        pending: &[PendingOutput],
    ) -> Result<(), ConnectorError> {
        for output in pending {
            if self.faults.hit(Call::Commit) {
                return Err(planned_failure("publish"));
            }
            self.publish(std::slice::from_ref(output));
        }
        Ok(())
    }
}

fn checkpoint_of(name: &str) -> CheckpointId {
    let (_, checkpoint) = name.rsplit_once('/').unwrap();
    CheckpointId(checkpoint.parse().unwrap())
}

struct Writer {
    output: Output,
    name: String,
    records: Vec<String>,
}

impl Sink for Writer {
    fn write(&mut self, batch: &Batch) -> Result<(), ConnectorError> {
        if self.output.faults.hit(Call::Write) {
            return Err(planned_failure("write"));
        }
        let rows = batch.keys().rows().zip(batch.values().rows());
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        let records = rows.map(|(key, value)| format!("{}={}", text(key), text(value)));
        self.records.extend(records);
        Ok(())
    }

    fn pre_commit(&mut self, checkpoint: CheckpointId) -> Result<PreCommit, ConnectorError> {
        if self.output.faults.hit(Call::PreCommit) {
            return Err(planned_failure("cut"));
        }
        let output = self.output.clone();
        let name = format!("{}/{checkpoint}", self.name);
        let records = std::mem::take(&mut self.records);
        Ok(Box::new(move || {
            let takes = std::mem::take(&mut *output.pre_commit_takes.lock().unwrap());
            std::thread::sleep(takes);
            if output.faults.hit(Call::PreCommitDurable) {
                return Err(planned_failure("sync"));
            }
            if records.is_empty() {
                return Ok(Vec::new());
            }
            let before = output.with(|contents| contents.staged.insert(name.clone(), records));
            if before.is_some() {
                output.faults.violation(format!("{name} is staged twice"));
            }
            Ok(vec![PendingOutput(name.into_bytes())])
        }))
    }
}
