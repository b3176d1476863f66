//! The source `stdin`, on a reader in memory.

use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc;

use serde_json::json;
use tidegate_connector::ConnectorError;
use tidegate_connector::SourceOptions as _;
use tidegate_connector::source::{SourceConnector, SourceOutput};
use tidegate_connectors::StdinOptions;

use crate::support::{context, job_refusal, poll, read_all, read_batches, subtask, values_of};

fn options(json: serde_json::Value) -> StdinOptions {
    serde_json::from_value(json).expect("the options can be read")
}

fn stdin(reader: impl Read + Send + 'static) -> Arc<dyn SourceConnector> {
    let options = options(json!({ "accept-loss": true, "max-record-bytes": 1_000 }));
    options
        .connect_reader(Box::new(reader))
        .expect("loss is accepted")
}

/// A reader that returns the pieces that are sent to it, one by one.
struct Pieces(mpsc::Receiver<&'static [u8]>);

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Ok(piece) = self.0.recv() else {
            return Ok(0);
        };
        buffer[..piece.len()].copy_from_slice(piece);
        Ok(piece.len())
    }
}

#[test]
fn lines_are_those_of_a_file() {
    let connector = stdin(&b"one\n\ntwo\r\nno newline"[..]);
    let values = read_all(
        &*connector,
        connector.enumerator().plan(1).expect("can be planned"),
    );
    assert_eq!(
        values.expect("can be read"),
        ["one", "", "two\r", "no newline"]
    );
}

/// A reader that panics at the second read.
struct Panicking(bool);

impl Read for Panicking {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        assert!(!self.0, "on purpose");
        self.0 = true;
        buffer[..4].copy_from_slice(b"one\n");
        Ok(4)
    }
}

#[test]
fn a_reading_thread_that_dies_is_not_the_end_of_the_input() {
    let connector = stdin(Panicking(false));
    let read = read_all(
        &*connector,
        connector.enumerator().plan(1).expect("can be planned"),
    );
    let error = read.expect_err("there is no end").to_string();
    assert!(error.contains("the thread that reads it ended"), "{error}");
}

#[test]
fn a_job_that_does_not_accept_loss_is_refused() {
    let reason = job_refusal(options(json!({})).connect(&context(Path::new("/"))));
    assert!(reason.contains("`accept-loss = true`"), "{reason}");
    let connector = stdin(io::empty());
    assert!(!connector.is_replayable());
}

#[test]
fn it_has_one_subtask_only() {
    let connector = stdin(io::empty());
    assert!(job_refusal(connector.enumerator().plan(2)).contains("`parallelism = 1`"));
}

#[test]
fn a_line_above_the_limit_is_refused_with_its_place() {
    let connector = stdin(io::repeat(b'x'));
    let refused = read_all(
        &*connector,
        connector.enumerator().plan(1).expect("can be planned"),
    );
    let error = refused.expect_err("the line is too long").to_string();
    assert_eq!(
        error,
        "standard input, byte 0: the line is longer than `max-record-bytes`, 1000 bytes"
    );
}

#[test]
fn after_a_recovery_it_goes_on_with_the_lines_not_yet_given() {
    let text: String = (0..50_000).map(|line| format!("{line}\n")).collect();
    let connector = stdin(io::Cursor::new(text.into_bytes()));
    let plan = connector.enumerator().plan(1).expect("can be planned");
    let mut source = connector
        .open(&subtask(0), plan[0].clone())
        .expect("can be opened");
    let mut values = read_batches(&mut *source, 2).expect("can be read");
    let position = source.splits();
    assert!(
        connector.open(&subtask(0), position.clone()).is_err(),
        "in use"
    );
    drop(source);
    values.extend(read_all(&*connector, vec![position]).expect("can be read"));
    let expected: Vec<String> = (0..50_000).map(|line| line.to_string()).collect();
    assert!(values == expected);
}

#[test]
fn after_a_recovery_it_gives_again_what_no_checkpoint_covers() {
    let text: String = (0..50_000).map(|line| format!("{line}\n")).collect();
    let connector = stdin(io::Cursor::new(text.into_bytes()));
    let plan = connector.enumerator().plan(1).expect("can be planned");
    let mut source = connector
        .open(&subtask(0), plan[0].clone())
        .expect("can be opened");
    let mut values = read_batches(&mut *source, 2).expect("can be read");
    let covered = source.splits();
    source.release(&covered);
    // A checkpoint that is never complete, and the end of the input.
    read_batches(&mut *source, 1).expect("can be read");
    source.splits();
    read_batches(&mut *source, usize::MAX).expect("can be read");
    drop(source);
    values.extend(read_all(&*connector, vec![covered]).expect("can be read"));
    let expected: Vec<String> = (0..50_000).map(|line| line.to_string()).collect();
    assert!(values == expected, "{} lines", values.len());
}

#[tokio::test]
async fn a_poll_that_is_given_up_loses_nothing() {
    let (sender, pieces) = mpsc::channel();
    let connector = stdin(Pieces(pieces));
    let plan = connector.enumerator().plan(1).expect("can be planned");
    let mut source = connector
        .open(&subtask(0), plan[0].clone())
        .expect("can be opened");
    let mut values = Vec::new();
    for piece in [&b"on"[..], b"e\ntw", b"o\n", b"th"] {
        {
            let mut given_up = source.poll();
            let once = futures_poll_once(&mut given_up).await;
            assert!(once.is_none(), "nothing is there yet");
        }
        sender.send(piece).expect("the reader waits");
        if piece.contains(&b'\n') {
            let SourceOutput::Batch(batch) = source.poll().await.expect("can be read") else {
                panic!("a whole line is there");
            };
            values.extend(values_of(&batch));
        }
    }
    drop(sender);
    let SourceOutput::Batch(batch) = source.poll().await.expect("can be read") else {
        panic!("the last line needs no newline");
    };
    values.extend(values_of(&batch));
    assert_eq!(values, ["one", "two", "th"]);
    assert!(matches!(source.poll().await, Ok(SourceOutput::Ended)));
    assert_eq!(source.splits(), []);
}

/// Polls a future once; returns `None` if it is not ready.
async fn futures_poll_once<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
    std::future::poll_fn(|context| {
        let polled = std::pin::Pin::new(&mut *future).poll(context);
        std::task::Poll::Ready(match polled {
            std::task::Poll::Ready(output) => Some(output),
            std::task::Poll::Pending => None,
        })
    })
    .await
}

#[test]
fn a_read_error_is_reported() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _buffer: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("unplugged"))
        }
    }
    let connector = stdin(Broken);
    let plan = connector.enumerator().plan(1).expect("can be planned");
    let mut source = connector
        .open(&subtask(0), plan[0].clone())
        .expect("can be opened");
    let assert_reported = |polled| match polled {
        Err(ConnectorError::Io { action, source }) => {
            assert_eq!(
                (action.as_str(), source.to_string()),
                ("could not read stdin", "unplugged".to_owned())
            );
        }
        other => panic!("not an I/O error: {other:?}"),
    };
    assert_reported(poll(&mut *source));
    // After a restart, the error still does not pass for the end of the input.
    let position = source.splits();
    drop(source);
    let mut source = connector
        .open(&subtask(0), position)
        .expect("can be opened");
    assert_reported(poll(&mut *source));
}
