//! Reads the text of a stack as languages write it, line by line.
//!
//! Two forms are known. One line a frame, as V8, `QuickJS` and the Python SDK write it:
//!
//! ```text
//!     at price (src/total.js:7:12): the source line
//! ```
//!
//! And two lines a frame, as Go writes it:
//!
//! ```text
//! main.price(0x1)
//!     FOLDER/FILE.go:7 +0x1
//! ```
//!
//! Every other line is text.

/// The largest number of places in a line where the file may begin.
const CANDIDATES: usize = 8;

/// A line of a message, or two lines that are one frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StackLine<'a> {
    Text(&'a str),
    Frame(StackFrame<'a>),
}

/// A frame in the text of a stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct StackFrame<'a> {
    pub(super) function: &'a str,
    /// `None` for a function of the language itself.
    pub(super) place: Option<FilePlace<'a>>,
    /// The text behind the place.
    pub(super) rest: &'a str,
}

/// A place in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FilePlace<'a> {
    pub(super) file: &'a str,
    pub(super) line: u32,
    pub(super) column: Option<u32>,
}

/// Returns the lines of a message.
pub(super) fn lines(message: &str) -> Vec<StackLine<'_>> {
    let mut lines = message.lines().peekable();
    let mut read = Vec::new();
    while let Some(line) = lines.next() {
        let place = lines.peek().and_then(|next| place_below(line, next));
        if place.is_some() {
            lines.next();
        }
        read.push(match (place, frame_at(line)) {
            (Some(place), _) => StackLine::Frame(StackFrame {
                function: without_arguments(line),
                place: Some(place),
                rest: "",
            }),
            (None, Some(frame)) => StackLine::Frame(frame),
            (None, None) => StackLine::Text(line),
        });
    }
    read
}

/// Reads `    at function (file:line:column)rest`.
fn frame_at(line: &str) -> Option<StackFrame<'_>> {
    let text = line.trim_start();
    let text = text
        .strip_prefix("at ")
        .filter(|_| text.len() < line.len())?;
    if let Some(function) = text.strip_suffix(" (native)") {
        return Some(StackFrame {
            function,
            place: None,
            rest: "",
        });
    }
    let mut candidates = text.match_indices(" (").take(CANDIDATES);
    candidates.find_map(|(at, opening)| {
        let (inside, rest) = text[at + opening.len()..].split_once(')')?;
        Some(StackFrame {
            function: &text[..at],
            place: Some(FilePlace::parse(inside)?),
            rest,
        })
    })
}

/// Reads the second line of a frame of Go, whose first line is `function`.
fn place_below<'a>(function: &str, line: &'a str) -> Option<FilePlace<'a>> {
    let is_function = !function.is_empty() && !function.starts_with(char::is_whitespace);
    // A line such as `goroutine 1 [running]:` is the heading of a stack.
    if !is_function || function.ends_with(':') {
        return None;
    }
    let place = line.strip_prefix('\t')?;
    let place = place.split_once(" +0x").map_or(place, |(place, _)| place);
    FilePlace::parse(place)
}

/// Returns the name in `main.price(0x1, 0x2)`. A method's receiver, as in `main.(*total).price`,
/// is part of the name.
fn without_arguments(function: &str) -> &str {
    let arguments = function.ends_with(')').then(|| function.rfind('('));
    arguments.flatten().map_or(function, |at| &function[..at])
}

impl<'a> FilePlace<'a> {
    /// Reads `file:line` or `file:line:column`.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let (rest, last) = text.rsplit_once(':')?;
        let last = last.parse().ok()?;
        let with_column = rest.rsplit_once(':').and_then(|(file, line)| {
            let line = line.parse().ok()?;
            Some((file, line, Some(last)))
        });
        let (file, line, column) = with_column.unwrap_or((rest, last, None));
        (!file.is_empty()).then_some(Self { file, line, column })
    }
}

#[cfg(test)]
mod tests;
