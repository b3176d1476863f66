//! Tests of `bounded`.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Wake;

use futures_util::FutureExt as _;
use tidegate_operator::NO_TIMESTAMP;

use super::*;
use crate::CheckpointId;
use crate::stream::CheckpointBarrier;

#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn one_channel(bytes: u32) -> (ChannelSender, InputGate) {
    let apart = ChannelLimits {
        bytes,
        joined_rows: 1,
        joined_bytes: 0,
        waking_bytes: 0,
    };
    let (mut senders, gate) = bounded(1, apart);
    (senders.remove(0), gate)
}

fn batch(bytes: usize) -> StreamElement {
    let mut batch = Batch::default();
    batch.push(NO_TIMESTAMP, b"", &vec![b'x'; bytes]);
    StreamElement::Batch(batch)
}

fn take(gate: &mut InputGate) -> Option<Option<StreamElement>> {
    let taken = gate.next(|_| false).now_or_never();
    taken.map(|taken| taken.map(|(_, element)| element))
}

#[test]
fn a_full_channel_makes_the_sender_wait() {
    let (sender, mut gate) = one_channel(1000);
    assert_eq!(sender.send(batch(900)).now_or_never(), Some(Ok(())));
    assert_eq!(sender.send(batch(900)).now_or_never(), None);
    assert_eq!(take(&mut gate), Some(Some(batch(900))));
    assert_eq!(sender.send(batch(900)).now_or_never(), Some(Ok(())));
}

#[test]
fn a_sender_that_waits_goes_on_when_the_channel_has_room() {
    let (sender, mut gate) = one_channel(1000);
    assert_eq!(sender.send(batch(900)).now_or_never(), Some(Ok(())));
    let wakes = Arc::new(Wakes::default());
    let waker = Waker::from(Arc::clone(&wakes));
    let mut context = Context::from_waker(&waker);
    let mut waiting = Box::pin(sender.send(batch(900)));
    assert_eq!(waiting.as_mut().poll(&mut context), Poll::Pending);
    assert_eq!(wakes.0.load(Ordering::Relaxed), 0);
    assert_eq!(take(&mut gate), Some(Some(batch(900))));
    assert_eq!(wakes.0.load(Ordering::Relaxed), 1);
    assert_eq!(waiting.as_mut().poll(&mut context), Poll::Ready(Ok(())));
}

#[test]
fn a_barrier_enters_a_full_channel_and_stays_behind_its_records() {
    let (sender, mut gate) = one_channel(1000);
    let barrier = StreamElement::Barrier(CheckpointBarrier {
        checkpoint: CheckpointId(1),
    });
    assert_eq!(sender.send(batch(960)).now_or_never(), Some(Ok(())));
    assert_eq!(sender.send(barrier.clone()).now_or_never(), Some(Ok(())));
    assert_eq!(take(&mut gate), Some(Some(batch(960))));
    assert_eq!(take(&mut gate), Some(Some(barrier)));
    assert_eq!(take(&mut gate), None);
}

#[test]
fn a_batch_larger_than_the_channel_passes_through_it_alone() {
    let (sender, mut gate) = one_channel(100);
    assert_eq!(sender.send(batch(5000)).now_or_never(), Some(Ok(())));
    assert_eq!(sender.send(batch(1)).now_or_never(), None);
    assert_eq!(take(&mut gate), Some(Some(batch(5000))));
    assert_eq!(sender.send(batch(1)).now_or_never(), Some(Ok(())));
}

#[test]
fn a_channel_of_no_capacity_still_takes_one_batch_at_a_time() {
    let (sender, mut gate) = one_channel(0);
    assert_eq!(sender.send(batch(1)).now_or_never(), Some(Ok(())));
    assert_eq!(sender.send(batch(1)).now_or_never(), None);
    assert_eq!(take(&mut gate), Some(Some(batch(1))));
    assert_eq!(sender.send(batch(1)).now_or_never(), Some(Ok(())));
}

#[test]
fn watermarks_alone_fill_a_channel_too() {
    let (sender, _gate) = one_channel(1000);
    let sent = (0..100).take_while(|at| {
        let watermark = StreamElement::Watermark(*at);
        sender.send(watermark).now_or_never() == Some(Ok(()))
    });
    assert_eq!(sent.count(), 1000 / 64);
}

#[test]
fn dropping_the_receiver_wakes_a_waiting_sender() {
    let (sender, gate) = one_channel(100);
    assert_eq!(sender.send(batch(100)).now_or_never(), Some(Ok(())));
    let mut waiting = Box::pin(sender.send(batch(100)));
    assert_eq!(waiting.as_mut().now_or_never(), None);
    drop(gate);
    assert_eq!(waiting.now_or_never(), Some(Err(ChannelClosed)));
}

#[test]
fn a_sender_that_goes_without_an_end_is_missed_behind_what_it_sent() {
    let (sender, mut gate) = one_channel(1000);
    assert_eq!(sender.send(batch(1)).now_or_never(), Some(Ok(())));
    drop(sender);
    assert_eq!(take(&mut gate), Some(Some(batch(1))));
    assert_eq!(take(&mut gate), Some(None));
}

#[test]
fn a_sender_that_has_ended_its_channel_is_not_missed() {
    let (sender, mut gate) = one_channel(1000);
    let end = StreamElement::EndOfInput;
    assert_eq!(sender.send(end.clone()).now_or_never(), Some(Ok(())));
    drop(sender);
    assert_eq!(take(&mut gate), Some(Some(end)));
    assert_eq!(take(&mut gate), None);
}
