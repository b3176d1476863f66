//! A whole job around a real coordinator, small enough to be explored: chains with real aligners,
//! channels that carry barriers and ends, and everything in flight between them.
//!
//! A [`Model`] knows which [`Move`]s are possible and makes one. It checks every action of the
//! coordinator against what it has seen itself.

mod checks;

use std::collections::{BTreeMap, VecDeque};
use std::hash::{Hash, Hasher};
use std::time::Duration;

use tidegate_checkpoint::{SnapshotContents, SubtaskSnapshot};

use super::super::pending::JobEnd;
use super::chain_model::{Chain, Control, Element, Persisting, Sent, ThreadEvent};
use super::moves::{Budget, Move};
use super::{Action, Coordinator};
use crate::config::CheckpointSettings;
use crate::protocol::{Acknowledgement, Urgency};
use crate::{ChainId, CheckpointId, SubtaskId};

/// For each chain, the chains that it reads from; a source reads from none.
pub(super) type Topology = &'static [&'static [usize]];

/// Records that a channel holds before its sender waits.
const CHANNEL_CAPACITY: usize = 1;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Work {
    None,
    Committing(CheckpointId),
    Publishing(CheckpointId),
}

/// The end of the job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum End {
    Done(JobEnd),
    GaveUp,
}

/// The job at one moment.
#[derive(Clone, Debug)]
pub(super) struct Model {
    pub(super) coordinator: Coordinator,
    pub(super) end: Option<End>,
    pub(super) budget: Budget,
    now: Duration,
    topology: Topology,
    chains: Vec<Chain>,
    work: Work,
    in_flight: Option<CheckpointId>,
    newest: CheckpointId,
    /// The acknowledged snapshots of the checkpoint in flight, by chain.
    acknowledged: BTreeMap<usize, Persisting>,
    failures_in_a_row: u32,
    is_stop_asked: bool,
    /// True if a checkpoint was requested and has not started.
    is_requested: bool,
    /// The start of the last checkpoint; its end is `over_at`.
    started_at: Duration,
    over_at: Option<Duration>,
}

impl Model {
    pub(super) fn new(topology: Topology, settings: &CheckpointSettings, budget: Budget) -> Self {
        let ids = || {
            (0u32..)
                .zip(topology)
                .map(|(id, inputs)| (ChainId(id), inputs))
        };
        let sources = ids()
            .filter(|(_, inputs)| inputs.is_empty())
            .map(|(id, _)| id);
        let now = Duration::ZERO;
        let chains = ids().map(|(id, _)| id);
        let last = CheckpointId(4);
        Self {
            coordinator: Coordinator::new(settings.clone(), chains, sources, last, now),
            end: None,
            budget,
            now,
            topology,
            chains: topology
                .iter()
                .map(|inputs| Chain::new(inputs.len(), last))
                .collect(),
            work: Work::None,
            in_flight: None,
            newest: last,
            acknowledged: BTreeMap::new(),
            failures_in_a_row: 0,
            is_stop_asked: false,
            is_requested: false,
            started_at: now,
            over_at: None,
        }
    }

    /// Hashes everything that distinguishes two moments except the time itself, which matters only
    /// as the distance to the coordinator's next tick.
    pub(super) fn fingerprint(&self, hasher: &mut impl Hasher) {
        let coordinator = &self.coordinator;
        (
            &self.chains,
            self.work,
            self.end,
            self.in_flight,
            self.newest,
        )
            .hash(hasher);
        (&self.acknowledged, self.budget, self.is_stop_asked).hash(hasher);
        if let super::Phase::Pending(pending) = &coordinator.phase {
            pending.missing().for_each(|chain| chain.hash(hasher));
        }
        let waits_for = coordinator
            .next_tick()
            .map(|at| at.saturating_sub(self.now));
        (waits_for, coordinator.due_at.saturating_sub(self.now)).hash(hasher);
        (
            &coordinator.ended,
            coordinator.is_stopping(),
            coordinator.is_requested,
        )
            .hash(hasher);
        coordinator.failures_in_a_row.hash(hasher);
        let interval = coordinator.settings.interval;
        let since = |at: Duration| self.now.saturating_sub(at).min(interval);
        (&coordinator.wishes.relative_to(self.now), self.is_requested).hash(hasher);
        (since(self.started_at), self.over_at.map(since)).hash(hasher);
    }

    /// Returns the number of checkpoints that were started.
    pub(super) fn started(&self) -> u64 {
        self.newest.0 - 4
    }

    /// Returns all moves that can happen; faults and commands only while there is a budget.
    pub(super) fn moves(&self) -> Vec<Move> {
        let mut moves = self.deliveries();
        if self.end.is_some() {
            return moves;
        }
        if self.budget.faults > 0 {
            for at in 0..moves.len() {
                moves.extend(moves[at].failing());
            }
        }
        moves.extend(self.source_ends());
        if self.budget.records > 0 {
            moves.extend(self.reading().map(|chain| Move::Record { chain }));
        }
        let is_pending = matches!(self.coordinator.phase, super::Phase::Pending(_));
        let may_tick = !is_pending || self.budget.faults > 0;
        if self.coordinator.next_tick().is_some() && may_tick {
            moves.push(Move::Tick);
        }
        if self.budget.requests > 0 {
            moves.push(Move::Request);
        }
        if self.budget.wishes > 0 {
            moves.extend([Urgency::Patient, Urgency::Urgent].map(Move::Wish));
        }
        if self.budget.stops > 0 {
            moves.push(Move::Stop { drain: false });
        }
        if self.budget.drains > 0 {
            moves.push(Move::Stop { drain: true });
        }
        moves
    }

    /// Returns the next move if nothing fails any more and no one asks for anything: everything in
    /// flight arrives, then input ends, then time passes.
    pub(super) fn fair_move(&self) -> Option<Move> {
        let mut moves = self.deliveries();
        moves.extend(self.source_ends());
        if matches!(self.coordinator.phase, super::Phase::Idle) {
            moves.push(Move::Tick);
        }
        moves.first().copied()
    }

    /// Returns the moves of everything that arrives by itself.
    fn deliveries(&self) -> Vec<Move> {
        if self.end.is_some() {
            return Vec::new();
        }
        let mut moves = Vec::new();
        let declines = false;
        for (index, chain) in self.chains.iter().enumerate() {
            let waits_for_room = self.waits_for_room(index);
            if !chain.control.is_empty() && !waits_for_room {
                moves.push(Move::Control {
                    chain: index,
                    declines,
                });
            }
            if !chain.thread_events.is_empty() {
                moves.push(Move::ThreadEvent { chain: index });
            }
            if chain
                .persisting
                .front()
                .is_some_and(|snapshot| snapshot.behind == 0)
            {
                moves.push(Move::Persisted {
                    chain: index,
                    fails: false,
                });
            }
            for channel in chain.readable().filter(|_| !waits_for_room) {
                moves.push(Move::Element {
                    chain: index,
                    channel,
                    declines,
                });
            }
        }
        match self.work {
            Work::None => {}
            Work::Committing(_) => moves.push(Move::Committed { fails: false }),
            Work::Publishing(_) => moves.push(Move::Published),
        }
        moves
    }

    /// Returns the sources that return a record or end next.
    fn reading(&self) -> impl Iterator<Item = usize> {
        let chains = self.chains.iter().enumerate();
        let reading = chains.filter(|(_, chain)| chain.is_reading());
        let reading = reading.map(|(chain, _)| chain);
        reading.filter(|chain| !self.waits_for_room(*chain))
    }

    fn source_ends(&self) -> impl Iterator<Item = Move> {
        self.reading().map(|chain| Move::SourceEnds { chain })
    }

    /// Returns true if a channel that the chain writes to is full of records.
    fn waits_for_room(&self, chain: usize) -> bool {
        let is_full = |channel: &VecDeque<Element>| {
            let records = channel.iter().filter(|e| **e == Element::Record);
            records.count() > CHANNEL_CAPACITY
        };
        let mut outputs = self.topology.iter().zip(&self.chains);
        outputs.any(|(inputs, reader)| {
            let mut channels = inputs.iter().zip(&reader.channels);
            channels.any(|(input, channel)| *input == chain && is_full(channel))
        })
    }

    pub(super) fn make(&mut self, next: Move) {
        let actions = match next {
            Move::Control { chain, declines } => {
                self.budget.faults -= u32::from(declines);
                let sent = self.chains[chain].read_control(declines);
                self.send_downstream(chain, &sent)
            }
            Move::Element {
                chain,
                channel,
                declines,
            } => {
                self.budget.faults -= u32::from(declines);
                let sent = self.chains[chain].read_element(channel, declines);
                self.send_downstream(chain, &sent)
            }
            Move::Record { chain } => {
                self.budget.records -= 1;
                let sent = self.chains[chain].give_record();
                self.send_downstream(chain, &sent)
            }
            Move::SourceEnds { chain } => {
                let sent = self.chains[chain].end();
                self.send_downstream(chain, &sent)
            }
            Move::ThreadEvent { chain } => self.deliver_thread_event(chain),
            Move::Persisted { chain, fails } => self.deliver_persisted(chain, fails),
            Move::Committed { fails } => self.deliver_committed(fails),
            Move::Published => {
                self.work = Work::None;
                self.in_flight = None;
                self.over_at = Some(self.now);
                self.coordinator.on_published(self.now)
            }
            Move::Tick => self.tick(),
            Move::Request => {
                self.budget.requests -= 1;
                self.is_requested = true;
                self.coordinator.on_request(self.now)
            }
            Move::Wish(urgency) => {
                self.budget.wishes -= 1;
                self.coordinator.on_wish(urgency, self.now);
                Vec::new()
            }
            Move::Stop { drain } => {
                if drain {
                    self.budget.drains -= 1;
                } else {
                    self.budget.stops -= 1;
                }
                self.is_stop_asked = true;
                self.coordinator.on_stop(drain, self.now)
            }
        };
        actions.into_iter().for_each(|action| self.perform(action));
        let too_many = self.failures_in_a_row > self.coordinator.settings.tolerable_failures;
        assert_eq!(
            too_many,
            self.end == Some(End::GaveUp),
            "failures are tolerated as set"
        );
    }

    fn tick(&mut self) -> Vec<Action> {
        let at = self.coordinator.next_tick().expect("a tick is wanted");
        if matches!(self.coordinator.phase, super::Phase::Pending(_)) {
            self.budget.faults -= 1;
        }
        self.now = self.now.max(at);
        self.coordinator.on_tick(self.now)
    }

    fn deliver_committed(&mut self, fails: bool) -> Vec<Action> {
        assert!(matches!(self.work, Work::Committing(_)));
        self.work = Work::None;
        let result = if fails {
            self.budget.faults -= 1;
            Err("the disk is full".to_owned())
        } else {
            self.failures_in_a_row = 0;
            Ok(())
        };
        self.coordinator.on_committed(result, self.now)
    }

    fn deliver_thread_event(&mut self, index: usize) -> Vec<Action> {
        match self.chains[index].take_thread_event() {
            ThreadEvent::Declined(checkpoint) => {
                let reason = "not now".to_owned();
                self.coordinator.on_declined(checkpoint, reason, self.now)
            }
            ThreadEvent::Ended => self.coordinator.on_ended(chain_id(index), self.now),
        }
    }

    fn deliver_persisted(&mut self, index: usize, fails: bool) -> Vec<Action> {
        let snapshot = self.chains[index].persisting.pop_front();
        let snapshot = snapshot.expect("there is a snapshot");
        let checkpoint = snapshot.checkpoint;
        if fails {
            self.budget.faults -= 1;
            let reason = "no space".to_owned();
            return self.coordinator.on_declined(checkpoint, reason, self.now);
        }
        if self.in_flight == Some(checkpoint) && self.work == Work::None {
            let before = self.acknowledged.insert(index, snapshot);
            assert!(
                before.is_none(),
                "chain {index} acknowledged {checkpoint} twice"
            );
        }
        self.coordinator.on_acknowledged(Acknowledgement {
            chain: chain_id(index),
            checkpoint,
            snapshots: vec![subtask_snapshot(index, snapshot.has_ended)],
            pause: Duration::ZERO,
        })
    }

    fn send_downstream(&mut self, from: usize, sent: &Sent) -> Vec<Action> {
        for (to, inputs) in self.topology.iter().enumerate() {
            for (channel, input) in inputs.iter().enumerate() {
                if *input == from {
                    self.chains[to].channels[channel].extend(sent);
                }
            }
        }
        Vec::new()
    }

    /// Performs an action as the driver does, after checking that it is allowed.
    fn perform(&mut self, action: Action) {
        assert!(self.end.is_none(), "the job is over");
        match action {
            Action::Trigger {
                checkpoint,
                chains,
                suspend,
            } => {
                if self.in_flight != Some(checkpoint) {
                    assert_eq!(self.in_flight, None, "two checkpoints in flight");
                    assert!(checkpoint > self.newest, "ids only grow");
                    self.check_start();
                    self.newest = checkpoint;
                    self.in_flight = Some(checkpoint);
                    self.acknowledged.clear();
                }
                assert!(!suspend || self.is_stop_asked, "nobody asked to stop");
                for chain in chains {
                    let control = &mut self.chains[chain.0 as usize].control;
                    control.push_back(Control::Trigger {
                        checkpoint,
                        suspend,
                    });
                }
            }
            Action::EndSources => {
                for chain in self.chains.iter_mut().filter(|chain| chain.is_source()) {
                    chain.control.push_back(Control::EndSources);
                }
            }
            Action::Commit(acknowledged) => self.check_commit(&acknowledged),
            Action::Publish(checkpoint) => {
                assert_eq!(self.in_flight, Some(checkpoint));
                assert_eq!(
                    self.work,
                    Work::None,
                    "published before the commit was over"
                );
                self.work = Work::Publishing(checkpoint);
            }
            Action::Abandon { checkpoint, .. } => {
                assert_eq!(self.in_flight.take(), Some(checkpoint), "it was in flight");
                self.failures_in_a_row += 1;
                self.over_at = Some(self.now);
            }
            Action::GiveUp { failures, .. } => {
                assert_eq!(failures, self.failures_in_a_row);
                self.end = Some(End::GaveUp);
            }
            Action::Done { checkpoint, end } => {
                assert_eq!(checkpoint, self.newest, "the last checkpoint is the newest");
                assert_eq!(self.in_flight, None, "it ends after publication");
                assert!(
                    end == JobEnd::Finished || self.is_stop_asked,
                    "nobody asked to stop"
                );
                self.end = Some(End::Done(end));
            }
        }
    }
}

fn chain_id(index: usize) -> ChainId {
    ChainId(u32::try_from(index).expect("few chains"))
}

fn subtask_snapshot(index: usize, has_ended: bool) -> SubtaskSnapshot {
    let index = u32::try_from(index).expect("few chains");
    let operator = "chain".to_owned();
    SubtaskSnapshot {
        subtask: SubtaskId { operator, index },
        has_ended,
        watermark: None,
        contents: SnapshotContents::Operator { state: None },
    }
}
