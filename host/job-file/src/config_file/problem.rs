//! The problems of a job file, each with its place. Pure.
//!
//! Readers share a [`Problems`] and continue after each problem, so that the user sees all of them
//! at once.

use std::cell::{Cell, RefCell};
use std::ops::Range;

use serde::Serialize;

/// A range of bytes in the job file.
pub type Span = Range<usize>;

/// A problem of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The place; `None` if the problem is about a flag or a missing key.
    pub span: Option<Span>,
    /// The message.
    pub message: String,
    /// The expected content.
    pub help: Option<String>,
    /// The thing to fix.
    pub subject: Subject,
}

/// The thing to fix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The job file.
    JobFile,
    /// A component that the job file names and that is rejected.
    Component,
}

impl Problem {
    /// Returns a problem at a place.
    pub fn at(span: Span, message: impl Into<String>) -> Self {
        Self {
            span: Some(span),
            message: message.into(),
            help: None,
            subject: Subject::JobFile,
        }
    }

    /// Returns the problem of a rejected component, at the place that names it.
    pub fn of_component(span: Span, message: impl Into<String>) -> Self {
        Self {
            subject: Subject::Component,
            ..Self::at(span, message)
        }
    }

    /// Returns a problem of the file as a whole.
    pub fn of_file(message: impl Into<String>) -> Self {
        Self {
            span: None,
            message: message.into(),
            help: None,
            subject: Subject::JobFile,
        }
    }

    /// Adds the expected content.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Returns the problem with the line and column of its place in `text`.
    pub fn locate(&self, text: &str) -> LocatedProblem {
        let position = self
            .span
            .as_ref()
            .map(|span| Position::of(text, span.start));
        LocatedProblem {
            line: position.map(|position| position.line),
            column: position.map(|position| position.column),
            message: self.message.clone(),
            help: self.help.clone(),
        }
    }
}

/// A problem as tools read it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LocatedProblem {
    /// See [`Position`].
    pub line: Option<usize>,
    /// See [`Position`].
    pub column: Option<usize>,
    /// The message.
    pub message: String,
    /// The expected content.
    pub help: Option<String>,
}

/// A place as editors count: line and column from 1, columns in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Line.
    pub line: usize,
    /// Column.
    pub column: usize,
}

impl Position {
    /// Returns the place of a byte of `text`, or of the end if there is no such byte.
    pub fn of(text: &str, offset: usize) -> Self {
        let before = text.floor_char_boundary(offset.min(text.len()));
        let before = &text[..before];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Self {
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }
}

/// The most problems reported of one file.
const MOST_TOLD: usize = 20;

/// The problems found so far. The first ones are kept, the others only counted.
#[derive(Debug, Default)]
pub struct Problems {
    found: RefCell<Vec<Problem>>,
    more: Cell<usize>,
    /// True if any problem that was only counted is about the job file.
    more_of_file: Cell<bool>,
}

/// All problems of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundProblems {
    /// The kept problems in the order of the file, those without a place last. At least one.
    pub told: Vec<Problem>,
    /// The number of other problems.
    pub more: usize,
    /// True if the file itself is right, and only components are rejected.
    pub is_about_components: bool,
}

impl Problems {
    /// Returns a list of one problem.
    pub fn of(problem: Problem) -> Self {
        let problems = Self::default();
        problems.push(problem);
        problems
    }

    /// Adds a problem.
    pub fn push(&self, problem: Problem) {
        if !self.is_full() {
            self.found.borrow_mut().push(problem);
            return;
        }
        self.more.set(self.more.get() + 1);
        if problem.subject == Subject::JobFile {
            self.more_of_file.set(true);
        }
    }

    /// True if the next problem is only counted, so that it needs no help text.
    pub fn is_full(&self) -> bool {
        self.found.borrow().len() == MOST_TOLD
    }

    /// True if there are no problems.
    pub fn is_empty(&self) -> bool {
        self.found.borrow().is_empty()
    }

    /// Returns all problems.
    pub fn into_found(self) -> FoundProblems {
        let mut told = self.found.into_inner();
        told.sort_by_key(|problem| problem.span.as_ref().map_or(usize::MAX, |span| span.start));
        let mut subjects = told.iter().map(|problem| problem.subject);
        let is_about_components = subjects.all(|subject| subject == Subject::Component);
        FoundProblems {
            is_about_components: is_about_components && !self.more_of_file.get(),
            told,
            more: self.more.get(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_as_editors_count() {
        let place = |offset| {
            let position = Position::of("ab\nçd\n", offset);
            (position.line, position.column)
        };
        assert_eq!(place(0), (1, 1));
        assert_eq!(place(2), (1, 3));
        assert_eq!(place(3), (2, 1));
        assert_eq!(place(4), (2, 1), "inside a character is at it");
        assert_eq!(place(5), (2, 2));
        assert_eq!(place(99), (3, 1), "after the end is at the end");
    }

    #[test]
    fn problems_are_told_in_the_order_of_the_file() {
        let problems = Problems::default();
        problems.push(Problem::of_file("c"));
        problems.push(Problem::at(5..6, "b"));
        problems.push(Problem::at(1..2, "a"));
        let messages: Vec<String> = problems
            .into_found()
            .told
            .into_iter()
            .map(|p| p.message)
            .collect();
        assert_eq!(messages, ["a", "b", "c"]);
    }

    #[test]
    fn of_many_problems_20_are_told_and_the_others_are_counted() {
        let problems = Problems::default();
        for at in 0..60_000 {
            problems.push(Problem::of_component(at..at + 1, "refused"));
        }
        assert!(problems.is_full());
        let found = problems.into_found();
        assert_eq!((found.told.len(), found.more), (20, 59_980));
        assert!(found.is_about_components);
    }

    #[test]
    fn a_file_with_any_problem_of_its_own_is_not_only_about_components() {
        let problems = Problems::default();
        for at in 0..30 {
            problems.push(Problem::of_component(at..at + 1, "refused"));
        }
        problems.push(Problem::of_file("wrong"));
        assert!(!problems.into_found().is_about_components);
    }
}
