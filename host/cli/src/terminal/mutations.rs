//! No content of a job file makes its parser, or the report of its problems, panic.

use std::path::Path;

use proptest::prelude::*;
use tidegate_connectors::built_in;
use tidegate_job_file::JobFile;
use tidegate_job_file::config_file::ConfigFileError;

use super::job_file_error;

/// A job file with every key.
const FULL: &str = include_str!("../../../job-file/src/job_file/tests/full.toml");

/// A change to a file: the place, the character, and the kind of change.
fn change() -> impl Strategy<Value = (prop::sample::Index, char, u8)> {
    (any::<prop::sample::Index>(), any::<char>(), 0..4u8)
}

proptest! {
    #[test]
    fn no_bytes_make_the_parser_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(file) = JobFile::from_bytes(Path::new("/nowhere/job.toml"), bytes) {
            if let Err(error) = file.graph(None, &built_in()) {
                drop(job_file_error(&error, false));
            }
            drop(file.address());
        }
    }

    #[test]
    fn no_change_of_a_valid_file_makes_the_parser_panic(
        changes in proptest::collection::vec(change(), 1..6),
    ) {
        let mut text: Vec<char> = FULL.chars().collect();
        for (place, new, what) in changes {
            let place = place.index(text.len());
            match what {
                0 => text[place] = new,
                1 => text.insert(place, new),
                2 => drop(text.remove(place)),
                _ => {
                    let end = (place + 17).min(text.len());
                    let piece: Vec<char> = text[place..end].to_vec();
                    let other = usize::try_from(u32::from(new)).unwrap_or(0) % text.len();
                    text.splice(other..other, piece);
                }
            }
        }
        let text: String = text.into_iter().collect();
        let file = JobFile::from_bytes(Path::new("/nowhere/job.toml"), text.clone().into_bytes());
        let file = file.expect("this is text");
        if let Err(ConfigFileError::Invalid(invalid)) = file.graph(None, &built_in()) {
            for problem in &invalid.problems {
                drop(problem.locate(&text));
            }
            let said = job_file_error(&ConfigFileError::Invalid(invalid), true);
            prop_assert!(!said.as_str().is_empty());
        }
    }
}
