//! Tests of `outbox`.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Wake, Waker};

use super::*;
use crate::CheckpointId;
use crate::channel::{ChannelLimits, bounded};
use crate::protocol::Aligner;
use crate::stream::CheckpointBarrier;

#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Returns how often `act` on an outbox wakes a sleeping receiver.
fn wakes(act: impl FnOnce(&mut Outbox)) -> usize {
    let (senders, mut gate) = bounded(1, ChannelLimits::default());
    let mut outbox = Outbox::new(senders);
    let wakes = Arc::new(Wakes::default());
    let waker = Waker::from(Arc::clone(&wakes));
    let aligner = Aligner::new(1);
    let mut sleeping = pin!(gate.next(|channel| aligner.is_parked(channel)));
    let polled = sleeping.as_mut().poll(&mut Context::from_waker(&waker));
    assert!(polled.is_pending());
    act(&mut outbox);
    wakes.0.load(Ordering::Relaxed)
}

fn records(bytes: usize) -> Batch {
    let mut batch = Batch::default();
    batch.push(0, b"", &vec![0; bytes]);
    batch
}

fn barrier() -> StreamElement {
    let checkpoint = CheckpointId(1);
    StreamElement::Barrier(CheckpointBarrier { checkpoint })
}

#[test]
fn a_receiver_sleeps_on_for_little_until_the_chain_itself_would_sleep() {
    let little = |outbox: &mut Outbox| {
        outbox.push_copy(SenderIndex(0), &records(10));
        outbox.push(SenderIndex(0), StreamElement::Batch(records(10)));
        assert!(outbox.owes_wakes());
    };
    assert_eq!(wakes(little), 0);
    let then_sleep = |outbox: &mut Outbox| {
        little(outbox);
        outbox.wake_receivers();
        assert!(!outbox.owes_wakes());
    };
    assert_eq!(wakes(then_sleep), 1);
}

#[test]
fn a_receiver_is_woken_at_once_for_much_and_for_a_barrier() {
    let much = StreamElement::Batch(records(100_000));
    for element in [much, barrier(), StreamElement::EndOfInput] {
        assert_eq!(wakes(|outbox| outbox.push(SenderIndex(0), element)), 1);
    }
}

#[test]
fn a_batch_for_many_channels_is_queued_once_and_each_gets_it_in_order() {
    use futures_util::FutureExt as _;
    let full = ChannelLimits {
        bytes: 100,
        joined_rows: 1,
        ..ChannelLimits::default()
    };
    let (senders, mut gate) = bounded(3, full);
    let mut outbox = Outbox::new(senders);
    let batch = |bytes| StreamElement::Batch(records(bytes));
    outbox.push(SenderIndex(1), batch(1_000));
    outbox.push_to_all(0..3, batch(500));
    outbox.push(SenderIndex(0), barrier());
    assert!(outbox.must_wait());
    let queued: Vec<_> = outbox.queue.iter().map(|(of, _)| of.clone()).collect();
    assert_eq!(queued, [1..2, 2..3, 0..1]);
    let aligner = Aligner::new(3);
    let mut arrived = Vec::new();
    let mut sent = None;
    while sent.is_none() || arrived.len() < 5 {
        let mut sending = Box::pin(outbox.send_queued());
        // Not cancel-safe: it is polled until it is over, and the gate read meanwhile.
        while sent.is_none() {
            sent = sending.as_mut().now_or_never();
            let taken = gate
                .next(|channel| aligner.is_parked(channel))
                .now_or_never();
            arrived.extend(taken.flatten());
        }
        drop(sending);
        let taken = gate
            .next(|channel| aligner.is_parked(channel))
            .now_or_never();
        arrived.extend(taken.flatten());
    }
    assert_eq!(sent, Some(Ok(())));
    let of = |channel| {
        let of = arrived.iter().filter(|(of, _)| of.0 == channel);
        of.map(|(_, element)| element.clone()).collect::<Vec<_>>()
    };
    assert_eq!(of(0), [batch(500), barrier()]);
    assert_eq!(of(1), [batch(1_000), batch(500)]);
    assert_eq!(of(2), [batch(500)]);
}

#[test]
fn a_receiver_that_is_gone_is_found_at_the_flush() {
    use futures_util::FutureExt as _;
    let (senders, gate) = bounded(1, ChannelLimits::default());
    let mut outbox = Outbox::new(senders);
    drop(gate);
    outbox.push_copy(SenderIndex(0), &records(10));
    assert_eq!(
        outbox.send_queued().now_or_never(),
        Some(Err(ChannelClosed))
    );
}
