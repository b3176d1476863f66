//! Fuzz target `job-file`: any text as a job file. No text makes the parser panic, and the places
//! of all problems are inside the file.

use std::path::Path;

use tidegate_fuzz::{Target, shape, size_class};

use super::super::JobFile;
use super::{FULL, connectors};
use crate::config_file::ConfigFileError;

const WORDS: [&str; 28] = [
    "[operator.x]\n",
    "[sink.x]\n",
    "[source.x]\n",
    "inputs = ",
    "from = ",
    "component = ",
    "connector = ",
    "partition = ",
    "parallelism = ",
    "outputs = ",
    "limits = ",
    "config = ",
    "strategy = ",
    "\"forward\"",
    "\"hash\"",
    "\"dead-letter\"",
    "\"1s\"",
    "\"1MiB\"",
    "\"18446744073709551615s 1000000000ns\"",
    "\"1M\"",
    "18446744073709551615",
    "99999999999999999999EiB",
    "9223372036854775808",
    "0x7fffffff",
    "\"\"\"",
    "'''",
    "\\u0000",
    "\u{feff}",
];

#[test]
fn fuzz_job_file() {
    let connectors = connectors();
    Target::new("job-file", 3_000)
        .seed(FULL)
        .words(WORDS.iter().map(|word| word.as_bytes()))
        .run(|input| {
            let read = JobFile::from_bytes(Path::new("/nowhere/job.toml"), input.to_vec());
            let file = match read {
                Ok(file) => file,
                Err(error) => return told(&error),
            };
            drop(file.address());
            match file.graph(None, &connectors) {
                Ok(graph) => {
                    let nodes = size_class(graph.nodes().len());
                    vec![format!("{nodes} nodes, {} edges", graph.edges().len())]
                }
                Err(error) => told(&error),
            }
        });
}

/// Returns the message of each problem, without its quotations.
fn told(error: &ConfigFileError) -> Vec<String> {
    let said = error.to_string();
    assert!(said.contains("job.toml"), "no file in {said:?}");
    let ConfigFileError::Invalid(invalid) = error else {
        return vec![shape(error)];
    };
    assert!(!invalid.problems.is_empty(), "it is wrong, but nothing is");
    let problems = invalid.problems.iter().map(|problem| {
        if let Some(span) = &problem.span {
            assert!(span.start <= span.end, "{problem:?}");
            assert!(span.end <= invalid.text.len(), "{problem:?}");
            let place = problem.locate(&invalid.text);
            assert!(place.line.is_some() && place.column.is_some(), "{place:?}");
        }
        shape(&format_args!("{}", problem.message))
    });
    problems.collect()
}
