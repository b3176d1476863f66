//! Errors for people. The only place that names miette.

use std::backtrace::Backtrace;
use std::error::Error;
use std::fmt;
use std::ops::Range;
use std::panic::PanicHookInfo;

use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, SourceCode,
};
use tidegate_job_file::config_file::{ConfigFileError, InvalidConfigFile, Position, Problem};
use tidegate_operator::shown;

use super::Lines;
use super::lines::masked;

/// Returns an error with all its sources, in one line if each has one.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let said = cause.to_string();
        // Some errors print their source themselves.
        if !text.ends_with(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        source = cause.source();
    }
    text
}

/// Returns the problems of a job file, with its lines if the user sees them at a terminal.
pub(crate) fn job_file_error(error: &ConfigFileError, is_watched: bool) -> Lines {
    match error {
        ConfigFileError::Invalid(invalid) if is_watched => snippets(invalid),
        ConfigFileError::Invalid(invalid) => plain(invalid),
        ConfigFileError::Unreadable { .. }
        | ConfigFileError::TooLarge { .. }
        | ConfigFileError::ComponentNotLoaded { .. }
        | ConfigFileError::Engine(_) => {
            Lines::one_paragraph(format_args!("error: {}", chain(error)))
        }
    }
}

/// Returns `job.toml:12:5: message` for each problem, and its help on a separate line.
pub(crate) fn plain(invalid: &InvalidConfigFile) -> Lines {
    let mut lines = Lines::new();
    for problem in &invalid.problems {
        let place = place(invalid, problem);
        lines.paragraph(format_args!("{place}: {}", problem.message));
        if let Some(help) = &problem.help {
            lines.line(format_args!("  {help}"));
        }
    }
    more(invalid, &mut lines);
    lines
}

/// Returns the place and message of a panic, and a backtrace if `RUST_BACKTRACE` requests it.
pub(super) fn panic(panic: &PanicHookInfo<'_>) -> Lines {
    let thread = std::thread::current();
    let name = thread.name().unwrap_or("<unnamed>");
    let place = panic.location().map(ToString::to_string);
    let place = place.unwrap_or_else(|| "an unknown place".to_owned());
    let message = panic.payload_as_str().unwrap_or("no message");
    let mut lines = Lines::one_paragraph(format_args!(
        "thread '{name}' panicked at {place}: {message}"
    ));
    let wanted = std::env::var_os("RUST_BACKTRACE");
    if wanted.is_some_and(|wanted| !wanted.is_empty() && wanted != "0") {
        for line in Backtrace::force_capture().to_string().lines() {
            lines.line(line);
        }
    }
    lines
}

/// Adds the number of problems not listed.
fn more(invalid: &InvalidConfigFile, lines: &mut Lines) {
    if invalid.more > 0 {
        let (path, more) = (shown(&invalid.path), invalid.more);
        lines.line(format_args!("{path}: and {more} more problem(s)"));
    }
}

fn place(invalid: &InvalidConfigFile, problem: &Problem) -> String {
    let path = shown(&invalid.path);
    match &problem.span {
        Some(span) => {
            let Position { line, column } = Position::of(&invalid.text, span.start);
            format!("{path}:{line}:{column}")
        }
        None => path.to_string(),
    }
}

/// Returns each problem with its lines of the file.
fn snippets(invalid: &InvalidConfigFile) -> Lines {
    let is_plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let theme = if is_plain {
        GraphicalTheme::unicode_nocolor()
    } else {
        GraphicalTheme::unicode()
    };
    let handler = GraphicalReportHandler::new_themed(theme);
    let source = NamedSource::new(shown(&invalid.path).to_string(), masked(&invalid.text));
    let mut text = String::new();
    for problem in &invalid.problems {
        let place = place(invalid, problem);
        let title = Lines::one_paragraph(format_args!("{place}: {}", problem.message));
        let help = problem.help.as_ref().map(Lines::one);
        let trimmed = |lines: Lines| lines.as_str().trim_end().to_owned();
        let problem = ShownProblem {
            title: trimmed(title),
            help: help.map(trimmed),
            span: problem.span.clone(),
            source: &source,
        };
        if handler.render_report(&mut text, &problem).is_err() {
            return plain(invalid);
        }
    }
    let mut lines = Lines::laid_out(text);
    more(invalid, &mut lines);
    lines
}

/// A problem for miette: text that is escaped already.
#[derive(Debug)]
struct ShownProblem<'a> {
    title: String,
    help: Option<String>,
    span: Option<Range<usize>>,
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
        let help = self.help.as_ref()?;
        Some(Box::new(help))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        let span = self.span.as_ref();
        span.map(|_| -> &dyn SourceCode { self.source })
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let span = self.span.clone()?;
        Some(Box::new(std::iter::once(LabeledSpan::underline(span))))
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn invalid() -> InvalidConfigFile {
        let text = "version = 1\nnmae = \"x\"\n".to_owned();
        let problem = Problem::at(12..16, "unknown key `nmae`").help("did you mean `name`?");
        let missing = Problem::of_file("the job has no source");
        InvalidConfigFile {
            kind: tidegate_job_file::config_file::FileKind::Job,
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
            plain(&invalid()).as_str(),
            "job.toml:2:1: unknown key `nmae`\n  did you mean `name`?\n\
             job.toml: the job has no source\njob.toml: and 7 more problem(s)\n"
        );
    }

    #[test]
    fn a_person_is_shown_the_line() {
        let lines = snippets(&invalid());
        let text = lines.as_str();
        assert!(text.contains("job.toml:2:1: unknown key `nmae`"), "{text}");
        assert!(text.contains("nmae = \"x\""), "{text}");
        assert!(text.contains("did you mean `name`?"), "{text}");
        assert!(text.contains("the job has no source"), "{text}");
    }

    #[test]
    fn a_snippet_has_no_control_character_but_those_of_its_colours() {
        let mut hostile = invalid();
        hostile.path = PathBuf::from("a\n\u{1b}[2Jb.toml");
        hostile.text = "version = 1\n\u{1b}[2J\u{9b}\u{202e} = \"x\"\nnmae\n".to_owned();
        hostile.problems[0].message = "unknown key `\u{1b}[2J\nforged`".to_owned();
        hostile.problems[0].help = Some("did you mean `\u{202e}\nforged`?".to_owned());
        let lines = snippets(&hostile);
        for (at, _) in lines.as_str().match_indices('\u{1b}') {
            let sequence = &lines.as_str()[at + 1..];
            let end = sequence.find(|c: char| c.is_ascii_alphabetic());
            assert_eq!(
                sequence.chars().nth(end.expect("it ends")),
                Some('m'),
                "{lines}"
            );
        }
        let is_text = |c: char| c == '\n' || c == '\u{1b}' || !tidegate_operator::is_steering(c);
        assert!(lines.as_str().chars().all(is_text), "{lines:?}");
        assert!(
            !lines
                .as_str()
                .lines()
                .any(|line| line.trim_start().starts_with("forged"))
        );
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
