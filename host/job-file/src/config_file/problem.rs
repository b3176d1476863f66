//! What is wrong with a job file, and where. Pure.
//!
//! Readers hold a shared [`Problems`] and go on after each one, so that a person sees all of them
//! at once.

use std::cell::{Cell, RefCell};
use std::ops::Range;

use serde::Serialize;

/// Bytes of the job file, from and up to.
pub type Span = Range<usize>;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where it stands; none if it is about a flag or about something that is absent.
    pub span: Option<Span>,
    /// What is wrong.
    pub message: String,
    /// What was expected instead.
    pub help: Option<String>,
    /// What has to be mended.
    pub subject: Subject,
}

/// What has to be mended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The job file.
    JobFile,
    /// A component that it names, which is there and is refused.
    Component,
}

impl Problem {
    /// A problem at a place.
    pub fn at(span: Span, message: impl Into<String>) -> Self {
        Self {
            span: Some(span),
            message: message.into(),
            help: None,
            subject: Subject::JobFile,
        }
    }

    /// A component that is refused, at the place that names it.
    pub fn of_component(span: Span, message: impl Into<String>) -> Self {
        Self {
            subject: Subject::Component,
            ..Self::at(span, message)
        }
    }

    /// A problem of the file as a whole.
    pub fn of_file(message: impl Into<String>) -> Self {
        Self {
            span: None,
            message: message.into(),
            help: None,
            subject: Subject::JobFile,
        }
    }

    /// The same problem, with what was expected.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The same problem with its place in the file's text worked out.
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
    /// What is wrong.
    pub message: String,
    /// What was expected instead.
    pub help: Option<String>,
}

/// A place as editors count: both from 1, columns in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Line.
    pub line: usize,
    /// Column.
    pub column: usize,
}

impl Position {
    /// The place of a byte of `text`; of the end, if there is no such byte.
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

/// The most problems that are told of one file.
const MOST_TOLD: usize = 20;

/// The problems found so far. The first ones are kept, the others are counted.
#[derive(Debug, Default)]
pub struct Problems {
    found: RefCell<Vec<Problem>>,
    more: Cell<usize>,
    /// True if one of those that were only counted is about the job file.
    more_of_file: Cell<bool>,
}

/// All problems of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundProblems {
    /// Those that are told, in the order of the file; those without a place last. At least one.
    pub told: Vec<Problem>,
    /// How many others there are.
    pub more: usize,
    /// True if the file itself is right, and only components are refused.
    pub is_about_components: bool,
}

impl Problems {
    /// One problem.
    pub fn of(problem: Problem) -> Self {
        let problems = Self::default();
        problems.push(problem);
        problems
    }

    /// Adds one.
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

    /// True if the next one is only counted: what was expected instead need not be worked out.
    pub fn is_full(&self) -> bool {
        self.found.borrow().len() == MOST_TOLD
    }

    /// True if there is none.
    pub fn is_empty(&self) -> bool {
        self.found.borrow().is_empty()
    }

    /// All of them.
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
