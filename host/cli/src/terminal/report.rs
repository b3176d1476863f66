//! Errors as a person reads them. The only place that names miette.

use std::error::Error;
use std::fmt;

use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, SourceCode,
};

use crate::job_file::{InvalidJobFile, JobFileError, Position, Problem};

/// An error and everything behind it, in one line if they are.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let said = cause.to_string();
        // Some errors show their source themselves.
        if !text.ends_with(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        source = cause.source();
    }
    text
}

/// Why a job file can't be used; with the lines in question if somebody watches.
pub(crate) fn job_file_error(error: &JobFileError, is_watched: bool) -> String {
    match error {
        JobFileError::Invalid(invalid) if is_watched => snippets(invalid),
        JobFileError::Invalid(invalid) => plain(invalid),
        JobFileError::Unreadable { .. }
        | JobFileError::TooLarge { .. }
        | JobFileError::Engine(_) => format!("error: {}\n", chain(error)),
    }
}

/// `job.toml:12:5: what is wrong`, and what was expected on a line of its own.
pub(crate) fn plain(invalid: &InvalidJobFile) -> String {
    let mut text = String::new();
    for problem in &invalid.problems {
        text.push_str(&format!(
            "{}: {}\n",
            place(invalid, problem),
            problem.message
        ));
        if let Some(help) = &problem.help {
            text.push_str(&format!("  {help}\n"));
        }
    }
    text.push_str(&more(invalid));
    text
}

/// How many problems are not told.
fn more(invalid: &InvalidJobFile) -> String {
    match invalid.more {
        0 => String::new(),
        more => format!("{}: and {more} more problem(s)\n", invalid.path.display()),
    }
}

fn place(invalid: &InvalidJobFile, problem: &Problem) -> String {
    let path = invalid.path.display();
    match &problem.span {
        Some(span) => {
            let Position { line, column } = Position::of(&invalid.text, span.start);
            format!("{path}:{line}:{column}")
        }
        None => path.to_string(),
    }
}

/// Each problem with its lines of the file.
fn snippets(invalid: &InvalidJobFile) -> String {
    let is_plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let theme = if is_plain {
        GraphicalTheme::unicode_nocolor()
    } else {
        GraphicalTheme::unicode()
    };
    let handler = GraphicalReportHandler::new_themed(theme);
    let path = invalid.path.display().to_string();
    let source = NamedSource::new(path, invalid.text.clone());
    let mut text = String::new();
    for problem in &invalid.problems {
        let shown = ShownProblem {
            title: format!("{}: {}", place(invalid, problem), problem.message),
            problem,
            source: &source,
        };
        if handler.render_report(&mut text, &shown).is_err() {
            return plain(invalid);
        }
    }
    text.push_str(&more(invalid));
    text
}

/// A problem as miette wants it.
#[derive(Debug)]
struct ShownProblem<'a> {
    title: String,
    problem: &'a Problem,
    source: &'a NamedSource<String>,
}

impl fmt::Display for ShownProblem<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.title)
    }
}

impl Error for ShownProblem<'_> {}

impl Diagnostic for ShownProblem<'_> {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        let help = self.problem.help.as_ref()?;
        Some(Box::new(help))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.problem
            .span
            .as_ref()
            .map(|_| -> &dyn SourceCode { self.source })
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let span = self.problem.span.clone()?;
        Some(Box::new(std::iter::once(LabeledSpan::underline(span))))
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn invalid() -> InvalidJobFile {
        let text = "version = 1\nnmae = \"x\"\n".to_owned();
        let problem = Problem::at(12..16, "unknown key `nmae`").help("did you mean `name`?");
        let missing = Problem::of_file("the job has no source");
        InvalidJobFile {
            kind: crate::job_file::FileKind::Job,
            path: PathBuf::from("job.toml"),
            text,
            problems: vec![problem, missing],
            more: 7,
            is_about_components: false,
        }
    }

    #[test]
    fn the_first_line_says_where_and_what() {
        assert_eq!(
            plain(&invalid()),
            "job.toml:2:1: unknown key `nmae`\n  did you mean `name`?\n\
             job.toml: the job has no source\njob.toml: and 7 more problem(s)\n"
        );
    }

    #[test]
    fn a_person_is_shown_the_line() {
        let text = snippets(&invalid());
        assert!(text.contains("job.toml:2:1: unknown key `nmae`"), "{text}");
        assert!(text.contains("nmae = \"x\""), "{text}");
        assert!(text.contains("did you mean `name`?"), "{text}");
        assert!(text.contains("the job has no source"), "{text}");
    }

    #[test]
    fn a_chain_does_not_say_a_thing_twice() {
        #[derive(Debug, thiserror::Error)]
        #[error("outer: {0}")]
        struct Outer(#[source] std::io::Error);
        let error = Outer(std::io::Error::other("inner"));
        assert_eq!(chain(&error), "outer: inner");
    }
}
