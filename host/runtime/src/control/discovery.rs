//! Split discovery while a job runs: asks each enumerator on time, on a thread for blocking work.
//! Enumerators that do not return hold up no other. Decides nothing: the enumerator says which
//! splits are new and which subtask reads each of them.
//!
//! An attempt that ends loses the splits that are in no checkpoint yet; the enumerator of the next
//! attempt, which knows only the checkpoint, finds them again.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use futures_util::future::select_all;
use tidegate_connector::ConnectorError;
use tidegate_connector::source::{Assignment, SourceSplit, SplitEnumerator};
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::config::limits::CONTROL_CAPACITY;
use crate::error::node_failed;
use crate::executor::{Blocking, Executor, NotDone, blocking};
use crate::protocol::ControlMessage;
use crate::{ChainId, JobError, SubtaskId};

/// The enumerators of an attempt, by source.
pub(crate) type Enumerators = BTreeMap<String, Box<dyn SplitEnumerator>>;

/// New splits, by the chain whose source is to read them.
pub(crate) type Discovered = BTreeMap<ChainId, Vec<SourceSplit>>;

/// A source in which splits can appear.
struct Discovering {
    name: String,
    interval: Duration,
    asking: Asking,
}

/// The next answer of an enumerator.
enum Asking {
    /// The enumerator is to be asked for it at this time.
    Due(Instant, Box<dyn SplitEnumerator>),
    /// The enumerator is being asked.
    Asked(Blocking<Answer>),
    /// There is none: the enumerator panicked, or no thread could ask it. The attempt is over.
    Lost,
}

/// The answer of an enumerator, together with the enumerator.
type Answer = (
    Box<dyn SplitEnumerator>,
    Result<Vec<Assignment>, ConnectorError>,
);

/// Asks the enumerators of one attempt.
#[derive(Default)]
pub(crate) struct Discovery {
    sources: Vec<Discovering>,
    /// The chain of each subtask of a source.
    chains: HashMap<SubtaskId, ChainId>,
    /// Splits for chains that have many control messages to take first.
    undelivered: Discovered,
}

impl Discovery {
    /// Takes enumerators that have planned or restored, and the chains of all source subtasks. Asks
    /// each enumerator at once.
    pub(crate) fn new(enumerators: Enumerators, chains: HashMap<SubtaskId, ChainId>) -> Self {
        let due = Instant::now();
        let sources = enumerators.into_iter().filter_map(|(name, enumerator)| {
            Some(Discovering {
                name,
                interval: enumerator.discovery_interval()?,
                asking: Asking::Due(due, enumerator),
            })
        });
        Self {
            sources: sources.collect(),
            chains,
            undelivered: Discovered::new(),
        }
    }

    /// Returns true if splits can appear in this source.
    pub(crate) fn is_of(&self, source: &str) -> bool {
        self.sources
            .iter()
            .any(|discovering| discovering.name == source)
    }

    /// Waits until an enumerator has answered; for ever if there is none to ask, or while splits
    /// are undelivered. Cancel-safe.
    ///
    /// # Errors
    ///
    /// The enumerator failed, or could not be asked.
    pub(crate) async fn next(&mut self, executor: &dyn Executor) -> Result<Discovered, JobError> {
        if self.sources.is_empty() || !self.undelivered.is_empty() {
            return std::future::pending().await;
        }
        let answers = self.sources.iter_mut();
        let answers = answers.map(|source| Box::pin(source.answer(executor)));
        let (answer, index, _) = select_all(answers).await;
        match answer {
            Ok(answer) => self.on_answer(index, answer),
            Err(not_done) => Err(not_done.into_failure(self.sources[index].describe())),
        }
    }

    /// Passes `discovered` and undelivered splits on to chains. They are in the next checkpoint if
    /// they reach their source before its trigger. A chain that waits for its readers takes no
    /// messages meanwhile; the splits must leave room for those of checkpoints.
    pub(crate) fn deliver(
        &mut self,
        discovered: Discovered,
        controls: &[mpsc::Sender<ControlMessage>],
    ) {
        let undelivered = std::mem::take(&mut self.undelivered);
        for (chain, splits) in undelivered.into_iter().chain(discovered) {
            let control = &controls[chain.0 as usize];
            if control.capacity() <= CONTROL_CAPACITY / 2 {
                self.undelivered.entry(chain).or_default().extend(splits);
                continue;
            }
            // A chain that is gone has failed; its own report states the reason.
            drop(control.try_send(ControlMessage::AddSplits(splits)));
        }
    }

    /// Waits, when the attempt is over, for the enumerators that are being asked: they may still
    /// use what the next attempt's enumerators need. If one does not return, the job can't
    /// continue, as with a chain that does not return.
    ///
    /// # Errors
    ///
    /// Returns the description of a call that has not returned in time.
    pub(crate) async fn wind_up(&mut self, within: Duration) -> Result<(), String> {
        let deadline = Instant::now() + within;
        for source in &mut self.sources {
            let Asking::Asked(answer) = &mut source.asking else {
                continue;
            };
            match tokio::time::timeout_at(deadline, answer).await {
                // A split that was found is found again; an error would come again.
                Ok(Ok(_)) => {}
                Ok(Err(not_done)) => {
                    let failure = not_done.into_failure(source.describe());
                    tracing::warn!("failure while the attempt ended: {failure}");
                }
                Err(_) => return Err(source.describe()),
            }
        }
        Ok(())
    }

    fn on_answer(&mut self, index: usize, answer: Answer) -> Result<Discovered, JobError> {
        let (enumerator, found) = answer;
        let source = &mut self.sources[index];
        source.asking = Asking::Due(Instant::now() + source.interval, enumerator);
        let name = source.name.clone();
        let found = found.map_err(|error| node_failed(&name, error))?;
        let mut discovered = Discovered::new();
        for Assignment { subtask, split } in found {
            let chain = self.chains.get(&SubtaskId {
                operator: name.clone(),
                index: subtask,
            });
            let Some(chain) = chain else {
                return Err(node_failed(&name, misassigned(&split, subtask)));
            };
            tracing::info!(
                source = name,
                subtask,
                split = split.name,
                "found a new split"
            );
            discovered.entry(*chain).or_default().push(split);
        }
        Ok(discovered)
    }
}

impl Discovering {
    /// Waits until the enumerator is due, asks it, and waits for its answer. Cancel-safe: a later
    /// call waits on. After an answer, `asking` is to be set.
    async fn answer(&mut self, executor: &dyn Executor) -> Result<Answer, NotDone> {
        if let Asking::Due(due, _) = &self.asking {
            tokio::time::sleep_until(*due).await;
        }
        self.asking = match std::mem::replace(&mut self.asking, Asking::Lost) {
            Asking::Due(_, mut enumerator) => Asking::Asked(blocking(executor, move || {
                let found = enumerator.discover();
                (enumerator, found)
            })),
            asked @ (Asking::Asked(_) | Asking::Lost) => asked,
        };
        match &mut self.asking {
            Asking::Asked(answer) => {
                let answer = answer.await;
                self.asking = Asking::Lost;
                answer
            }
            Asking::Due(..) | Asking::Lost => std::future::pending().await,
        }
    }

    /// Describes the call of the enumerator for messages.
    fn describe(&self) -> String {
        format!("the discovery of splits of {}", self.name)
    }
}

fn misassigned(split: &SourceSplit, subtask: u32) -> ConnectorError {
    ConnectorError::StateRefused {
        reason: format!(
            "the connector has assigned the split `{}` to subtask {subtask}, which the source does \
             not have: this is a bug in the connector",
            split.name
        ),
    }
}

/// Checks that an enumerator has assigned splits to as many subtasks as the source has.
///
/// # Errors
///
/// A refusal of the state that names the connector's mistake.
pub(crate) fn check_assigned(name: &str, lists: usize, parallelism: u32) -> Result<(), JobError> {
    if lists == parallelism as usize {
        return Ok(());
    }
    let reason = format!(
        "the connector has assigned splits to {lists} subtask(s), but the source has \
         {parallelism}: this is a bug in the connector"
    );
    Err(node_failed(name, ConnectorError::StateRefused { reason }))
}

#[cfg(test)]
mod tests;
