//! A one-line notation for streams, and a subtask's output from them.
//!
//! `a: 1 |7 2 .` is a channel that carries record 1, the barrier of checkpoint 7, record 2 and its
//! end. The output of [`align`] is written alike: `|7` is the snapshot of checkpoint 7, `.` the end
//! of the whole input. All elements of a channel are there before the first is read.

use futures_util::FutureExt as _;
use tidegate_connector::CheckpointId;
use tidegate_operator::{Batch, NO_TIMESTAMP};
use tidegate_runtime::channel::{ChannelLimits, ChannelSender, bounded};
use tidegate_runtime::protocol::{Aligner, Alignment, EndOfChannel};
use tidegate_runtime::stream::{CheckpointBarrier, StreamElement};

/// Room for all elements that a test writes on one line; every record stays a separate batch.
const ROOMY: ChannelLimits = ChannelLimits {
    bytes: 1 << 20,
    joined_rows: 1,
    joined_bytes: 0,
    waking_bytes: 0,
};

/// Returns a subtask's output from these channels: a real input gate and a real aligner, read until
/// no element is left.
pub(crate) fn align(channels: &[&str]) -> String {
    let (senders, mut gate) = bounded(channels.len(), ROOMY);
    for (sender, channel) in senders.iter().zip(channels) {
        send_all(sender, channel);
    }
    let mut aligner = Aligner::new(channels.len());
    let mut output: Vec<String> = Vec::new();
    while let Some(next) = gate
        .next(|channel| aligner.is_parked(channel))
        .now_or_never()
    {
        let (channel, element) = next.expect("the senders are still there");
        let mut completed = None;
        match element {
            StreamElement::Batch(batch) => output.push(text(batch.values().row(0))),
            StreamElement::BatchWithOrigin(_)
            | StreamElement::Watermark(_)
            | StreamElement::Activity(_) => {}
            StreamElement::Barrier(barrier) => {
                match aligner.on_barrier(channel, barrier.checkpoint) {
                    Alignment::Park(_) => {}
                    Alignment::Complete(aligned) => completed = Some(aligned),
                }
            }
            StreamElement::EndOfInput => match aligner.on_end(channel) {
                EndOfChannel::OthersRemain => {}
                EndOfChannel::Complete(aligned) => completed = Some(aligned),
                EndOfChannel::AllEnded => output.push(".".to_owned()),
            },
        }
        if let Some(aligned) = completed {
            output.push(format!("|{}", aligned.checkpoint));
            if let Some(parked) = aligned.first_parked {
                gate.resume_with(parked);
            }
        }
    }
    output.join(" ")
}

fn send_all(sender: &ChannelSender, channel: &str) {
    let (_name, elements) = channel
        .split_once(':')
        .expect("a channel is `name: elements`");
    for element in elements.split_whitespace() {
        let sent = sender.send(parse(element)).now_or_never();
        assert_eq!(sent, Some(Ok(())), "the channel has room for a line");
    }
}

fn parse(element: &str) -> StreamElement {
    if element == "." {
        return StreamElement::EndOfInput;
    }
    if let Some(checkpoint) = element.strip_prefix('|') {
        let checkpoint = CheckpointId(checkpoint.parse().expect("a barrier is `|number`"));
        return StreamElement::Barrier(CheckpointBarrier { checkpoint });
    }
    let mut batch = Batch::default();
    batch.push(NO_TIMESTAMP, b"", element.as_bytes());
    StreamElement::Batch(batch)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
