//! The order in which the links of a chain are called, one call at a time.

use std::sync::{Arc, Mutex, PoisonError};

use futures_util::FutureExt as _;
use tidegate_checkpoint::Partitioning;
use tidegate_key_groups::KeyGroups;
use tidegate_operator::{
    Batch, Emission, GuestFault, OperatorContext, OperatorDescription, StateChunk,
};
use tokio_util::sync::CancellationToken;

use super::super::{Chain, Destination, Exit, Link, Role, Subtask};
use crate::SubtaskId;
use crate::chain::{Guest, OperatorFactory, OperatorInstance, Outbox, Router};
use crate::channel::{ChannelLimits, InputGate, bounded};
use crate::config::RecycleAt;
use crate::observe::SubtaskMetrics;
use crate::stream::{StreamElement, ToldWatermark};

type Calls = Arc<Mutex<Vec<String>>>;

/// An operator that emits each record several times, each time as an emission of its own, and a
/// record for the watermark and for the end.
#[derive(Clone)]
struct Scripted {
    link: usize,
    copies: usize,
    calls: Calls,
}

impl Scripted {
    fn called(&self, with: &str) {
        let call = format!("{} {with}", self.link);
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        calls.push(call);
    }

    fn emissions(&self, text: &str) -> Vec<Emission> {
        let copies = 0..self.copies;
        let batches = copies.map(|copy| record(&format!("{text}.{copy}")));
        batches.map(|batch| Emission { port: 0, batch }).collect()
    }
}

fn record(text: &str) -> Batch {
    let mut batch = Batch::default();
    batch.push(0, b"", text.as_bytes());
    batch
}

fn text_of(batch: &Batch) -> String {
    String::from_utf8_lossy(batch.values().row(0)).into_owned()
}

impl OperatorFactory for Scripted {
    fn open(&self, _: &OperatorContext) -> Result<Box<dyn OperatorInstance>, GuestFault> {
        Ok(Box::new(self.clone()))
    }
}

impl OperatorInstance for Scripted {
    fn process(&mut self, _: u32, batch: Batch) -> Result<Vec<Emission>, GuestFault> {
        let text = text_of(&batch);
        self.called(&text);
        Ok(self.emissions(&text))
    }

    fn advance_watermark(&mut self, watermark: i64) -> Result<Vec<Emission>, GuestFault> {
        self.called(&format!("watermark {watermark}"));
        Ok(self.emissions(&format!("w{}", self.link)))
    }

    fn snapshot(&mut self, _: u64) -> Result<Vec<StateChunk>, GuestFault> {
        Ok(Vec::new())
    }

    fn restore(&mut self, _: Vec<StateChunk>) -> Result<(), GuestFault> {
        Ok(())
    }

    fn checkpoint_complete(&mut self, _: u64) -> Result<(), GuestFault> {
        Ok(())
    }

    fn finish(&mut self) -> Result<Vec<Emission>, GuestFault> {
        self.called("finish");
        Ok(self.emissions(&format!("e{}", self.link)))
    }
}

/// A chain, and the calls of its operators.
struct Tested {
    chain: Chain,
    calls: Calls,
    cancelled: CancellationToken,
}

impl Tested {
    /// Takes, for each link, how often it emits a record and where to.
    fn new(links: Vec<(usize, Vec<Destination>)>, outbox: Outbox) -> Self {
        let calls = Calls::default();
        let links = links.into_iter().enumerate();
        let links = links.map(|(link, (copies, outputs))| {
            let calls = Arc::clone(&calls);
            opened(
                Scripted {
                    link,
                    copies,
                    calls,
                },
                outputs,
            )
        });
        let cancelled = CancellationToken::new();
        Self {
            chain: Chain::new(None, links.collect(), outbox, cancelled.clone()),
            calls,
            cancelled,
        }
    }

    fn calls(&self) -> Vec<String> {
        let calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        calls.clone()
    }

    /// Continues to the end. Returns the calls since the last time; each step made one at most.
    fn finish_element(&mut self) -> Vec<String> {
        while self.chain.has_pending() {
            let before = self.calls().len();
            self.chain.go_on().expect("nothing fails");
            assert!(self.calls().len() <= before + 1, "two calls in one step");
        }
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *calls)
    }
}

fn subtask(operator: &str, outputs: Vec<Destination>) -> Subtask {
    Subtask {
        id: SubtaskId {
            operator: operator.to_owned(),
            index: 0,
        },
        outputs: vec![outputs],
        ports: 1,
        metrics: Arc::<SubtaskMetrics>::default(),
        has_ended: false,
        watermark: ToldWatermark::new(None),
    }
}

fn opened(operator: Scripted, outputs: Vec<Destination>) -> Link {
    let subtask = subtask(&operator.link.to_string(), outputs);
    let description = OperatorDescription {
        job: "job".to_owned(),
        operator: subtask.id.operator.clone(),
        inputs: Vec::new(),
        outputs: Vec::new(),
        config: String::new(),
    };
    let context = OperatorContext::of_subtask(description, KeyGroups::new(1, 1), 0, 0);
    let guest = Guest::open(Arc::new(operator), context, None, RecycleAt::Never);
    let guest = guest.unwrap_or_else(|fault| panic!("{fault}"));
    Link {
        subtask,
        role: Role::Operator(Box::new(guest)),
    }
}

/// Returns a chain whose link 0 emits all twice to 1 and 2, and link 1 emits all twice to 3.
fn tree() -> Tested {
    let links = vec![
        (2, vec![Destination::Chained(1), Destination::Chained(2)]),
        (2, vec![Destination::Chained(3)]),
        (0, vec![]),
        (0, vec![]),
    ];
    Tested::new(links, Outbox::new(Vec::new()))
}

#[test]
fn all_that_comes_of_one_batch_is_over_before_the_next_one() {
    let mut tested = tree();
    tested
        .chain
        .process(0, record("x"), None)
        .expect("it works");
    assert_eq!(tested.calls(), ["0 x"], "the first call only");
    let expected = [
        "0 x", "1 x.0", "3 x.0.0", "3 x.0.1", "2 x.0", "1 x.1", "3 x.1.0", "3 x.1.1", "2 x.1",
    ];
    assert_eq!(tested.finish_element(), expected);
}

#[test]
fn what_a_watermark_sets_free_goes_before_it_on_every_way() {
    let mut tested = tree();
    tested.chain.advance_watermark(7).expect("it works");
    let expected = [
        "0 watermark 7",
        "1 w0.0",
        "3 w0.0.0",
        "3 w0.0.1",
        "2 w0.0",
        "1 w0.1",
        "3 w0.1.0",
        "3 w0.1.1",
        "2 w0.1",
        "1 watermark 7",
        "3 w1.0",
        "3 w1.1",
        "3 watermark 7",
        "2 watermark 7",
    ];
    assert_eq!(tested.finish_element(), expected);
}

#[test]
fn each_finish_comes_after_all_records_and_once() {
    let mut tested = tree();
    tested.chain.end().expect("it works");
    let expected = [
        "0 finish", "1 e0.0", "3 e0.0.0", "3 e0.0.1", "2 e0.0", "1 e0.1", "3 e0.1.0", "3 e0.1.1",
        "2 e0.1", "1 finish", "3 e1.0", "3 e1.1", "3 finish", "2 finish",
    ];
    assert_eq!(tested.finish_element(), expected);
    assert!(tested.chain.has_ended());
    tested.chain.end().expect("it works");
    assert_eq!(tested.finish_element(), [""; 0]);
}

/// Returns a chain whose source emits all to 0 and to 1, and link 0 emits all twice to 2.
fn tree_behind_a_source() -> Tested {
    let links = vec![(2, vec![Destination::Chained(2)]), (0, vec![]), (0, vec![])];
    let mut tested = Tested::new(links, Outbox::new(Vec::new()));
    let outputs = vec![Destination::Chained(0), Destination::Chained(1)];
    tested.chain.source = Some(subtask("source", outputs));
    tested
}

#[test]
fn what_a_source_gives_is_over_at_one_place_before_the_next_place_gets_it() {
    let mut tested = tree_behind_a_source();
    let chain = &mut tested.chain;
    chain.process(0, record("x"), None).expect("it works");
    assert_eq!(tested.finish_element(), ["0 x", "2 x.0", "2 x.1", "1 x"]);
}

#[test]
fn the_end_of_a_source_is_the_end_of_its_links_and_comes_once() {
    let mut tested = tree_behind_a_source();
    assert!(!tested.chain.has_ended());
    tested.chain.advance_watermark(7).expect("it works");
    let expected = [
        "0 watermark 7",
        "2 w0.0",
        "2 w0.1",
        "2 watermark 7",
        "1 watermark 7",
    ];
    assert_eq!(tested.finish_element(), expected);
    tested.chain.advance_watermark(7).expect("it works");
    assert_eq!(tested.finish_element(), [""; 0], "it was told before");
    tested.chain.end().expect("it works");
    let expected = ["0 finish", "2 e0.0", "2 e0.1", "2 finish", "1 finish"];
    assert_eq!(tested.finish_element(), expected);
    assert!(tested.chain.has_ended());
    tested.chain.end().expect("it works");
    assert_eq!(tested.finish_element(), [""; 0]);
}

#[test]
fn a_restored_chain_repeats_each_watermark_where_it_was_told_and_the_last_link_first() {
    let mut tested = tree_behind_a_source();
    let source = tested.chain.source.as_mut().expect("it has one");
    source.watermark = ToldWatermark::new(Some(9));
    tested.chain.links[0].subtask.watermark = ToldWatermark::new(Some(8));
    tested.chain.links[2].subtask.watermark = ToldWatermark::new(Some(7));
    tested.chain.repeat_watermarks();
    // Each link is told its own first; then the source's watermark reaches all links behind it.
    let expected = [
        "2 watermark 7",
        "0 watermark 8",
        "2 w0.0",
        "2 w0.1",
        "0 watermark 9",
        "2 w0.0",
        "2 w0.1",
        "2 watermark 9",
        "1 watermark 9",
    ];
    assert_eq!(tested.finish_element(), expected);
}

fn arrived(gate: &mut InputGate) -> Option<String> {
    let next = gate.next(|_| false).now_or_never()?;
    let Some((_, StreamElement::Batch(batch))) = next else {
        unreachable!("only batches were sent");
    };
    Some(text_of(&batch))
}

#[test]
fn nobody_is_called_while_something_waits_for_room() {
    let small = ChannelLimits {
        bytes: 1,
        joined_rows: 1,
        ..ChannelLimits::default()
    };
    let (senders, mut gate) = bounded(1, small);
    let links = vec![
        (5, vec![Destination::Chained(1)]),
        (
            1,
            vec![Destination::Routed(Router::new(
                Partitioning::Forward,
                0..1,
                1,
            ))],
        ),
    ];
    let mut tested = Tested::new(links, Outbox::new(senders));
    tested
        .chain
        .process(0, record("x"), None)
        .expect("it works");
    let mut received = Vec::new();
    let mut most_ahead = 0;
    while tested.chain.has_pending() || tested.chain.outbox.must_wait() {
        if !tested.chain.outbox.must_wait() {
            tested.chain.go_on().expect("nothing fails");
            most_ahead = most_ahead.max(tested.calls().len() - 1 - received.len());
            continue;
        }
        // The batch in the channel makes room for the waiting batch.
        received.extend(arrived(&mut gate));
        let sent = tested.chain.outbox.send_queued().now_or_never();
        assert_eq!(sent, Some(Ok(())));
    }
    received.extend(std::iter::from_fn(|| arrived(&mut gate)));
    assert_eq!(received, ["x.0.0", "x.1.0", "x.2.0", "x.3.0", "x.4.0"]);
    assert_eq!(most_ahead, 2, "one in the channel, one that waits");
}

#[test]
fn a_chain_that_is_told_to_leave_makes_no_other_call() {
    let tested = tree();
    assert!(tested.chain.leave_if_cancelled().is_ok());
    tested.cancelled.cancel();
    let exit = tested.chain.leave_if_cancelled();
    assert!(matches!(exit, Err(Exit::Told)));
}
