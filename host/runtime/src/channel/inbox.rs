//! Record path: router → channel → **inbox** → input gate. Barrier path: never overtakes. Pure.
//!
//! The elements that wait in the channels of one input gate, and whose turn it is. The invariants:
//! - the elements of a channel leave in the order in which they entered;
//! - a channel holds at most its capacity in bytes, or one batch that is larger;
//! - every channel that holds an element is in exactly one of two lists, `turns` or `held`, so that
//!   taking the next element costs the same with two channels or a million;
//! - small batches that wait behind each other in a channel become one: the slower the reader, the
//!   larger the batches. Watermarks that wait behind each other become the newest; no record passes
//!   a watermark, in either direction.

use std::collections::VecDeque;

use tidegate_operator::Batch;

use super::ChannelLimits;
use crate::ChannelIndex;
use crate::stream::StreamElement;

/// The bytes of a channel's capacity that a watermark or a sender's activity takes.
const WATERMARK_WEIGHT: u32 = 64;
/// No node: the end of a channel's list.
const NONE: u32 = u32::MAX;
/// More unused nodes than this are freed when the inbox is empty.
const KEPT_NODES: usize = 64;

/// The channels of one input gate.
#[derive(Debug)]
pub(super) struct Inbox {
    limits: ChannelLimits,
    channels: Vec<Channel>,
    /// The elements that wait in all channels, linked by channel: an idle channel has no queue of
    /// its own.
    nodes: Vec<Option<Node>>,
    unused: Vec<u32>,
    /// Channels with something to read; the first channel's turn is next.
    turns: VecDeque<ChannelIndex>,
    /// Channels with something to read whose turn came while they were parked.
    held: Vec<ChannelIndex>,
}

/// One channel. There may be a million: 16 bytes.
#[derive(Clone, Copy, Debug)]
struct Channel {
    first: u32,
    last: u32,
    bytes: u32,
    /// True if the channel is in `turns` or `held`.
    is_listed: bool,
    /// True if the end of its input has entered the channel.
    has_ended: bool,
}

#[derive(Debug)]
struct Node {
    /// `None`: the sender is gone, without having ended the channel.
    element: Option<StreamElement>,
    /// The watermark that follows a batch. It weighs nothing.
    watermark: Option<i64>,
    weight: u32,
    next: u32,
}

/// An element that left the inbox.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) channel: ChannelIndex,
    /// `None` if the sender is gone without having ended the channel.
    pub(super) element: Option<StreamElement>,
    /// True if the channel has room enough to wake a waiting sender.
    pub(super) has_room: bool,
}

impl Inbox {
    pub(super) fn new(channels: usize, limits: ChannelLimits) -> Self {
        let idle = Channel {
            first: NONE,
            last: NONE,
            bytes: 0,
            is_listed: false,
            has_ended: false,
        };
        Self {
            limits,
            channels: vec![idle; channels],
            nodes: Vec::new(),
            unused: Vec::new(),
            turns: VecDeque::new(),
            held: Vec::new(),
        }
    }

    /// Puts an element at the end of a channel, or returns the element if the channel is full.
    /// Barriers and the end weigh nothing, so they always enter.
    pub(super) fn offer(
        &mut self,
        channel: ChannelIndex,
        element: StreamElement,
    ) -> Result<(), StreamElement> {
        let weight = self.weight(&element);
        if !self.has_room(channel, weight) {
            return Err(element);
        }
        let is_joined = match &element {
            StreamElement::Batch(batch) => self.join(channel, batch, weight),
            StreamElement::Watermark(watermark) => self.join_watermark(channel, *watermark),
            StreamElement::BatchWithOrigin(_)
            | StreamElement::Activity(_)
            | StreamElement::Barrier(_)
            | StreamElement::EndOfInput => false,
        };
        if !is_joined {
            let ends = matches!(element, StreamElement::EndOfInput);
            self.channels[channel.0 as usize].has_ended = ends;
            self.append(channel, Some(element), weight);
        }
        Ok(())
    }

    /// Like [`Self::offer`], for records that are copied. Returns false if the channel is full.
    pub(super) fn offer_copy(&mut self, channel: ChannelIndex, batch: &Batch) -> bool {
        let weight = self.weight_of(batch);
        let has_room = self.has_room(channel, weight);
        if has_room && !self.join(channel, batch, weight) {
            self.append(channel, Some(StreamElement::Batch(batch.clone())), weight);
        }
        has_room
    }

    /// Returns true if the channel holds enough to wake a sleeping reader.
    pub(super) fn is_worth_waking(&self, channel: ChannelIndex) -> bool {
        self.channels[channel.0 as usize].bytes >= self.limits.waking_bytes
    }

    /// Called when the sender of a channel is gone.
    pub(super) fn close(&mut self, channel: ChannelIndex) {
        if !self.channels[channel.0 as usize].has_ended {
            self.append(channel, None, 0);
        }
    }

    /// Takes the next element of a channel that is not parked, in turn.
    pub(super) fn take(&mut self, is_parked: impl Fn(ChannelIndex) -> bool) -> Option<Taken> {
        while let Some(channel) = self.turns.pop_front() {
            if is_parked(channel) {
                self.held.push(channel);
                continue;
            }
            let (element, weight) = self.take_first(channel);
            let slot = &mut self.channels[channel.0 as usize];
            slot.bytes -= weight;
            slot.is_listed = slot.first != NONE;
            if slot.is_listed {
                self.turns.push_back(channel);
            }
            return Some(Taken {
                channel,
                element,
                // Not at the first byte: a sender that is woken finds work for a while.
                has_room: slot.bytes <= self.limits.bytes / 2,
            });
        }
        None
    }

    /// Called when no channel is parked any more: the held channels go first, `first` before the
    /// others.
    pub(super) fn resume_with(&mut self, first: ChannelIndex) {
        let is_first = |channel: &ChannelIndex| *channel == first;
        if self.channels[first.0 as usize].is_listed {
            self.held.retain(|channel| !is_first(channel));
            self.turns.retain(|channel| !is_first(channel));
            self.held.insert(0, first);
        }
        for channel in self.held.drain(..).rev() {
            self.turns.push_front(channel);
        }
    }

    fn weight(&self, element: &StreamElement) -> u32 {
        match element {
            StreamElement::Batch(batch) => self.weight_of(batch),
            StreamElement::BatchWithOrigin(records) => self.weight_of(&records.batch),
            // Next to nothing, but not nothing: a filter that drops every record still sends them.
            StreamElement::Watermark(_) | StreamElement::Activity(_) => {
                WATERMARK_WEIGHT.min(self.limits.bytes)
            }
            StreamElement::Barrier(_) | StreamElement::EndOfInput => 0,
        }
    }

    fn weight_of(&self, batch: &Batch) -> u32 {
        let capacity = self.limits.bytes;
        u32::try_from(batch.byte_size()).map_or(capacity, |bytes| bytes.min(capacity))
    }

    fn has_room(&self, channel: ChannelIndex, weight: u32) -> bool {
        let slot = &self.channels[channel.0 as usize];
        assert!(!slot.has_ended, "{channel} continues after its end");
        weight <= self.limits.bytes - slot.bytes
    }

    /// Joins a batch to the batch at the end of the channel, if both are small. Returns false if
    /// the batch has to stand by itself.
    fn join(&mut self, channel: ChannelIndex, batch: &Batch, weight: u32) -> bool {
        let slot = &mut self.channels[channel.0 as usize];
        if let Some(Some(node)) = self.nodes.get_mut(slot.last as usize)
            && let Some(StreamElement::Batch(waiting)) = &mut node.element
            && self.limits.may_join(waiting, batch)
            && node.watermark.is_none()
        {
            waiting.append(batch);
            node.weight += weight;
            slot.bytes += weight;
            return true;
        }
        false
    }

    /// Lets a watermark follow the batch at the end of the channel, or replace the watermark there.
    /// Returns false if the new watermark has to stand by itself.
    fn join_watermark(&mut self, channel: ChannelIndex, watermark: i64) -> bool {
        let last = self.channels[channel.0 as usize].last;
        let Some(Some(node)) = self.nodes.get_mut(last as usize) else {
            return false;
        };
        if !self.limits.joins() {
            return false;
        }
        match &mut node.element {
            Some(StreamElement::Batch(_) | StreamElement::BatchWithOrigin(_)) => {
                let newest = node
                    .watermark
                    .map_or(watermark, |waiting| waiting.max(watermark));
                node.watermark = Some(newest);
                true
            }
            Some(StreamElement::Watermark(waiting)) => {
                *waiting = watermark.max(*waiting);
                true
            }
            Some(
                StreamElement::Activity(_) | StreamElement::Barrier(_) | StreamElement::EndOfInput,
            )
            | None => false,
        }
    }

    fn append(&mut self, channel: ChannelIndex, element: Option<StreamElement>, weight: u32) {
        let node = Some(Node {
            element,
            watermark: None,
            weight,
            next: NONE,
        });
        let at = if let Some(at) = self.unused.pop() {
            self.nodes[at as usize] = node;
            at
        } else {
            self.nodes.push(node);
            u32::try_from(self.nodes.len() - 1).expect("fewer than 2^32 elements wait")
        };
        let slot = &mut self.channels[channel.0 as usize];
        match self.nodes.get_mut(slot.last as usize) {
            Some(Some(last)) => last.next = at,
            Some(None) | None => slot.first = at,
        }
        slot.last = at;
        slot.bytes += weight;
        if !slot.is_listed {
            slot.is_listed = true;
            self.turns.push_back(channel);
        }
    }

    fn take_first(&mut self, channel: ChannelIndex) -> (Option<StreamElement>, u32) {
        let first = self.channels[channel.0 as usize].first;
        let node = self.nodes[first as usize].as_mut();
        let node = node.expect("a listed channel has a first element");
        if let Some(watermark) = node.watermark.take() {
            let watermark = Some(StreamElement::Watermark(watermark));
            let batch = std::mem::replace(&mut node.element, watermark);
            return (batch, std::mem::take(&mut node.weight));
        }
        let node = self.remove_first(channel);
        (node.element, node.weight)
    }

    fn remove_first(&mut self, channel: ChannelIndex) -> Node {
        let slot = &mut self.channels[channel.0 as usize];
        let node = self.nodes[slot.first as usize].take();
        let node = node.expect("a listed channel has a first element");
        self.unused.push(slot.first);
        slot.first = node.next;
        if node.next == NONE {
            slot.last = NONE;
        }
        if self.unused.len() == self.nodes.len() && self.nodes.len() > KEPT_NODES {
            self.nodes = Vec::new();
            self.unused = Vec::new();
        }
        node
    }
}

impl ChannelLimits {
    /// Returns true if any elements are joined.
    fn joins(&self) -> bool {
        self.joined_rows > 1
    }

    fn may_join(&self, waiting: &Batch, batch: &Batch) -> bool {
        let rows = waiting.len() + batch.len();
        let bytes = waiting.byte_size() + batch.byte_size();
        rows <= self.joined_rows as usize && bytes <= self.joined_bytes as usize
    }
}

#[cfg(test)]
mod model;
