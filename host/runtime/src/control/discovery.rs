//! Split discovery while a job runs: asks enumerators on time, one at a time, on a thread for
//! blocking work. Decides nothing: the enumerator says which splits are new and which subtask reads
//! each of them.
//!
//! An attempt that ends loses the splits that are in no checkpoint yet; the enumerator of the next
//! attempt, which knows only the checkpoint, finds them again.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use tidegate_connector::ConnectorError;
use tidegate_connector::source::{Assignment, SourceSplit, SplitEnumerator};
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::config::limits::CONTROL_CAPACITY;
use crate::error::node_failed;
use crate::executor::{Blocking, Executor, blocking};
use crate::protocol::ControlMessage;
use crate::{ChainId, JobError, SubtaskId};

/// The enumerators of an attempt, by source.
pub(crate) type Enumerators = BTreeMap<String, Box<dyn SplitEnumerator>>;

/// New splits, by the chain whose source is to read them.
pub(crate) type Discovered = BTreeMap<ChainId, Vec<SourceSplit>>;

/// A source in which splits can appear.
struct Discovering {
    name: String,
    /// `None` while the enumerator is asked.
    enumerator: Option<Box<dyn SplitEnumerator>>,
    interval: Duration,
    due: Instant,
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
    /// The source that is asked, by index.
    asked: Option<(usize, Blocking<Answer>)>,
    /// Splits for chains that have many control messages to take first.
    undelivered: Discovered,
}

impl Discovery {
    /// Takes enumerators that have planned or restored, and the chains of all source subtasks. Asks
    /// each enumerator at once.
    pub(crate) fn new(enumerators: Enumerators, chains: HashMap<SubtaskId, ChainId>) -> Self {
        let due = Instant::now();
        let sources = enumerators.into_iter().filter_map(|(name, enumerator)| {
            let interval = enumerator.discovery_interval()?;
            let enumerator = Some(enumerator);
            Some(Discovering {
                name,
                enumerator,
                interval,
                due,
            })
        });
        Self {
            sources: sources.collect(),
            chains,
            asked: None,
            undelivered: Discovered::new(),
        }
    }

    /// Waits until an enumerator has answered; for ever if there is none to ask, or while splits
    /// are undelivered. Cancel-safe.
    ///
    /// # Errors
    ///
    /// The enumerator failed, or could not be asked.
    pub(crate) async fn next(&mut self, executor: &dyn Executor) -> Result<Discovered, JobError> {
        if !self.undelivered.is_empty() {
            return std::future::pending().await;
        }
        loop {
            if let Some((index, answer)) = &mut self.asked {
                let (index, answer) = (*index, answer.await);
                self.asked = None;
                return match answer {
                    Ok(answer) => self.on_answer(index, answer),
                    Err(not_done) => Err(not_done.into_failure(self.describe(index))),
                };
            }
            let next = self.sources.iter().enumerate();
            let Some((index, source)) = next.min_by_key(|(_, source)| source.due) else {
                return std::future::pending().await;
            };
            tokio::time::sleep_until(source.due).await;
            self.ask(index, executor);
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

    /// Waits, when the attempt is over, for the enumerator that is being asked: it may still use
    /// what the next attempt's enumerator needs. If it does not return, the job can't continue, as
    /// with a chain that does not return.
    ///
    /// # Errors
    ///
    /// Returns the description of the call that has not returned in time.
    pub(crate) async fn wind_up(&mut self, within: Duration) -> Result<(), String> {
        let Some((index, answer)) = &mut self.asked else {
            return Ok(());
        };
        let index = *index;
        match tokio::time::timeout(within, answer).await {
            // A split that was found is found again; an error would come again.
            Ok(Ok(_)) => Ok(()),
            Ok(Err(not_done)) => {
                let failure = not_done.into_failure(self.describe(index));
                tracing::warn!("failure while the attempt ended: {failure}");
                Ok(())
            }
            Err(_) => Err(self.describe(index)),
        }
    }

    /// Describes the call of an enumerator for messages.
    fn describe(&self, index: usize) -> String {
        format!("the discovery of splits of {}", self.sources[index].name)
    }

    fn ask(&mut self, index: usize, executor: &dyn Executor) {
        let enumerator = self.sources[index].enumerator.take();
        let mut enumerator = enumerator.expect("an enumerator that is due is not being asked");
        let work = move || {
            let found = enumerator.discover();
            (enumerator, found)
        };
        self.asked = Some((index, blocking(executor, work)));
    }

    fn on_answer(&mut self, index: usize, answer: Answer) -> Result<Discovered, JobError> {
        let (enumerator, found) = answer;
        let source = &mut self.sources[index];
        source.enumerator = Some(enumerator);
        source.due = Instant::now() + source.interval;
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
mod tests {
    use super::*;

    fn split(number: usize) -> Discovered {
        let split = SourceSplit {
            name: number.to_string(),
            position: Vec::new(),
        };
        BTreeMap::from([(ChainId(0), vec![split])])
    }

    #[test]
    fn a_chain_that_takes_no_messages_keeps_room_for_others_and_gets_every_split_later() {
        let (control, mut chain) = mpsc::channel(CONTROL_CAPACITY);
        let controls = [control];
        let mut discovery = Discovery::default();
        let splits = 3 * CONTROL_CAPACITY;
        for number in 0..splits {
            discovery.deliver(split(number), &controls);
        }
        assert_eq!(controls[0].capacity(), CONTROL_CAPACITY / 2);
        let mut taken = Vec::new();
        while let Ok(message) = chain.try_recv() {
            let ControlMessage::AddSplits(splits) = message else {
                panic!("another message");
            };
            taken.extend(splits.into_iter().map(|split| split.name));
            discovery.deliver(Discovered::new(), &controls);
        }
        let all: Vec<String> = (0..splits).map(|number| number.to_string()).collect();
        assert_eq!(taken, all);
    }
}
