//! The sinks `stdout`, on a writer in memory, and `discard`.

use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};

use serde_json::json;
use tidegate_connector::{CheckpointId, ConnectorError, Lineage};
use tidegate_connectors::StdoutOptions;

use crate::support::{context, records, sink_options, subtask};

fn stdout_options(json: serde_json::Value) -> StdoutOptions {
    serde_json::from_value(json).expect("the options can be read")
}

/// A writer that keeps the flushed bytes.
#[derive(Clone, Default)]
struct Flushed {
    written: Vec<u8>,
    flushed: Arc<Mutex<Vec<u8>>>,
}

impl Write for Flushed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.written.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.flushed
            .lock()
            .expect("not poisoned")
            .append(&mut self.written);
        Ok(())
    }
}

#[test]
fn every_batch_is_on_standard_output_when_it_is_written() {
    let output = Flushed::default();
    let connector = stdout_options(json!({})).connect_writer(Box::new(output.clone()));
    let connector = connector.expect("the options fit");
    assert!(!connector.is_exactly_once());
    let mut sink = connector
        .open(&subtask(0), Lineage([1; 16]), 1)
        .expect("can be opened");
    sink.write(&records(&[("a", "1"), ("b", "2\t")]))
        .expect("can be written");
    assert_eq!(
        *output.flushed.lock().expect("not poisoned"),
        b"a\t1\nb\t2\\t\n"
    );
    let pre_commit = sink.pre_commit(CheckpointId(1)).expect("can be cut");
    assert_eq!(pre_commit().expect("has nothing to do"), []);
}

#[test]
fn a_closed_pipe_is_an_error_that_names_the_sink() {
    struct Closed;
    impl Write for Closed {
        fn write(&mut self, _bytes: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let connector = stdout_options(json!({ "format": "lines" })).connect_writer(Box::new(Closed));
    let connector = connector.expect("the options fit");
    let mut sink = connector
        .open(&subtask(3), Lineage([1; 16]), 1)
        .expect("can be opened");
    match sink.write(&records(&[("a", "1")])) {
        Err(ConnectorError::Io { action, source }) => {
            assert_eq!(
                action,
                "could not write to standard output for sink node[3]"
            );
            assert_eq!(source.kind(), io::ErrorKind::BrokenPipe);
        }
        other => panic!("not an I/O error: {other:?}"),
    }
}

#[test]
fn discard_takes_everything_and_has_nothing_pending() {
    let connector = sink_options("discard", json!({}))
        .connect(&context(Path::new("/")))
        .expect("connects");
    assert!(connector.is_exactly_once());
    let mut sink = connector
        .open(&subtask(0), Lineage([1; 16]), 1)
        .expect("can be opened");
    sink.write(&records(&[("a", "1")])).expect("is taken");
    let pre_commit = sink.pre_commit(CheckpointId(1)).expect("can be cut");
    assert_eq!(pre_commit().expect("has nothing to do"), []);
}

#[test]
fn discard_measures_how_late_records_arrive_if_asked() {
    for (measures, expected) in [(false, None), (true, Some(2))] {
        let connector = sink_options("discard", json!({ "measure-lag": measures }))
            .connect(&context(Path::new("/")))
            .expect("connects");
        // Both subtasks count into one.
        for index in 0..2 {
            let mut sink = connector
                .open(&subtask(index), Lineage([1; 16]), 1)
                .expect("can be opened");
            let mut batch = records(&[("no", "timestamp")]);
            batch.push(0, b"from", b"1970");
            sink.write(&batch).expect("is taken");
        }
        let lag = connector.lag();
        assert_eq!(lag.as_ref().map(|lag| lag.records), expected);
        // More than 50 years each: above the bound of the last bucket.
        assert!(lag.is_none_or(|lag| lag.sum_seconds > 3e9 && lag.buckets[0].records == 0));
    }
}
