//! The rule for names of projects. Pure.

use super::error::NewProjectError;
use crate::language::Language;

/// Accepts a name that a job, or an operator in a job file and a package in the language, can have.
pub(super) fn check(name: &str, language: Option<Language>) -> Result<(), NewProjectError> {
    let is_fine = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let problem = match (1..=64).contains(&name.len()) && name.chars().all(is_fine) {
        true => language.and_then(|language| (language.kit().name_problem)(name)),
        false => Some(
            "like an operator's name, it must have 1 to 64 of a-z, A-Z, 0-9, `-` and `_`"
                .to_owned(),
        ),
    };
    problem.map_or(Ok(()), |reason| {
        let name = name.to_owned();
        Err(NewProjectError::BadName { name, reason })
    })
}
