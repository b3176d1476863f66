//! Tests of the job file as a whole: the messages about wrong files, the meaning of valid ones, and
//! the absence of panics in the parser.

mod fuzz;
mod meaning;
mod messages;
mod own_connectors;
mod schema;

use std::path::Path;

use tidegate_connector::ConnectorList;

use super::JobFile;
use crate::config_file::ConfigFileError;
use crate::config_file::problem::Problem;

/// Every key of a job file, each with a value other than its default.
const FULL: &str = include_str!("full.toml");

fn connectors() -> ConnectorList {
    tidegate_connectors::built_in()
}

fn file(text: &str) -> JobFile {
    JobFile::from_bytes(Path::new("job.toml"), text.as_bytes().to_vec()).unwrap()
}

fn problems_of(text: &str) -> Vec<Problem> {
    match file(text).graph(None, &connectors()) {
        Ok(_) => Vec::new(),
        Err(ConfigFileError::Invalid(invalid)) => {
            let is_missing = |problem: &Problem| problem.message.starts_with("component ./");
            invalid
                .problems
                .into_iter()
                .filter(|problem| !is_missing(problem))
                .collect()
        }
        Err(error) => panic!("{error}"),
    }
}
