//! Tests of `persister`.

use super::*;
use crate::Lineage;
use crate::executor::Threads;
use tidegate_checkpoint::DirStore;

/// Returns the pending lists of a sink's persister, checkpoint after checkpoint. `1:a` is a
/// snapshot of checkpoint 1 with output `a`, and `1!` is its completion.
async fn listed(messages: &str) -> Vec<String> {
    let directory = tempfile::tempdir().unwrap();
    let (events, mut received) = mpsc::channel(16);
    let (sender, receiver) = mpsc::channel(16);
    let persister = Persister {
        chain: ChainId(0),
        identity: RunIdentity {
            job: "job".to_owned(),
            lineage: Lineage([0; 16]),
            attempt: 1,
        },
        store: Arc::new(DirStore::open(directory.path()).unwrap()),
        events,
        executor: Arc::new(Threads::start().unwrap()),
    };
    for message in messages.split(' ') {
        sender.send(parse(message)).await.unwrap();
    }
    drop(sender);
    persister.run(receiver).await;
    let mut lists = Vec::new();
    while let Some(event) = received.recv().await {
        lists.push(describe(event));
    }
    lists
}

fn parse(message: &str) -> PersistMessage {
    let id = |text: &str| CheckpointId(text.parse().unwrap());
    if let Some(checkpoint) = message.strip_suffix('!') {
        return PersistMessage::Complete(id(checkpoint));
    }
    let (checkpoint, output) = message.split_once(':').unwrap();
    let output = PendingOutput(output.as_bytes().to_vec());
    let part = SnapshotPart {
        subtask: SubtaskId {
            operator: "out".to_owned(),
            index: 0,
        },
        has_ended: false,
        watermark: None,
        contents: PartContents::Output(Box::new(move || Ok(vec![output]))),
    };
    PersistMessage::Snapshot {
        checkpoint: id(checkpoint),
        parts: vec![part],
        pause: Duration::ZERO,
    }
}

fn describe(event: ChainEvent) -> String {
    let ChainEvent::Acknowledged(acknowledgement) = event else {
        panic!("{event:?}");
    };
    let contents = &acknowledgement.snapshots[0].contents;
    let SnapshotContents::Sink { pending } = contents else {
        panic!("{contents:?}");
    };
    let outputs = pending
        .iter()
        .map(|output| String::from_utf8_lossy(&output.0));
    let outputs: Vec<_> = outputs.collect();
    format!("{}: {}", acknowledgement.checkpoint, outputs.join(" "))
}

#[tokio::test]
async fn output_of_an_abandoned_checkpoint_is_listed_until_one_completes() {
    let lists = listed("1:a 2:b 3:c 3! 4:d").await;
    assert_eq!(lists, ["1: a", "2: a b", "3: a b c", "4: d"]);
}

#[tokio::test]
async fn a_completion_that_comes_late_confirms_nothing_newer() {
    let lists = listed("1:a 2:b 1! 3:c 3! 4:d").await;
    assert_eq!(lists, ["1: a", "2: a b", "3: b c", "4: d"]);
}
