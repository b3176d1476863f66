//! The message and the frames of a trap, as they are shown.

use super::engine_frames::{self, EngineFrame};
use super::source_map::BundlePlace;
use super::sources::Sources;
use super::stack_text::{self, FilePlace, StackFrame, StackLine};
use crate::bounded_text::bounded;

/// The number of bytes of a file's name that are shown.
const FILE_BYTES: usize = 1 << 10;
/// The largest number of frames of a message that are shown.
const FRAMES: usize = 64;

/// The frames that a fault shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Backtrace {
    /// Those of the author's own code, if there are any.
    #[default]
    Own,
    /// All, with those of the SDK, of the language's runtime and of the engine.
    Full,
}

/// The message and the frames of a trap, as they are shown. The message is not escaped.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Shown {
    pub(crate) message: Option<String>,
    pub(crate) frames: Vec<String>,
}

/// Returns the message and the frames to show. `message` is the guest's, with the stack of its
/// language where the runtime logged one; `frames` are the engine's, innermost first.
pub(crate) fn view(
    backtrace: Backtrace,
    sources: Option<&Sources>,
    message: Option<&str>,
    frames: Vec<EngineFrame>,
) -> Shown {
    let message = message.map(|message| Message::read(sources, message));
    match (backtrace, message) {
        (Backtrace::Full, message) => Shown {
            message: message.map(|message| message.full()),
            frames: texts(&engine_frames::all(frames)),
        },
        (Backtrace::Own, None) => Shown {
            message: None,
            frames: texts(&engine_frames::own(frames)),
        },
        // The frames of an interpreter are not the author's.
        (Backtrace::Own, Some(message)) if sources.is_some() => message.own(Vec::new()),
        (Backtrace::Own, Some(message)) => message.own(frames),
    }
}

fn texts(frames: &[EngineFrame]) -> Vec<String> {
    frames.iter().map(ToString::to_string).collect()
}

/// A message with the places of its frames in the author's sources.
struct Message<'a> {
    lines: Vec<MessageLine<'a>>,
}

enum MessageLine<'a> {
    Text(&'a str),
    Frame { text: String, is_own: bool },
}

impl<'a> Message<'a> {
    fn read(sources: Option<&Sources>, message: &'a str) -> Self {
        let lines = stack_text::lines(message);
        let mut mapped = mapped(sources, &lines).into_iter();
        let read = lines.into_iter().map(|line| match line {
            StackLine::Text(text) => MessageLine::Text(text),
            StackLine::Frame(frame) => {
                let place = mapped.next().flatten();
                shown_frame(sources, &frame, place)
            }
        });
        Self {
            lines: read.collect(),
        }
    }

    fn full(&self) -> String {
        self.text(|_| true)
    }

    /// Leaves out the frames of others, unless there are no others. A stack in the message makes
    /// the frames of the engine superfluous: they are those of the language's runtime.
    fn own(&self, frames: Vec<EngineFrame>) -> Shown {
        let mut of_others = self.lines.iter().filter_map(|line| match line {
            MessageLine::Frame { is_own, .. } => Some(!is_own),
            MessageLine::Text(_) => None,
        });
        let has_stack = of_others.clone().next().is_some();
        if has_stack {
            let nothing_else = of_others.all(|of_others| of_others);
            return Shown {
                message: Some(self.text(|is_own| is_own || nothing_else)),
                frames: Vec::new(),
            };
        }
        let text = self.full();
        let frames = engine_frames::own(frames);
        match RustPanic::parse(&text) {
            Some(panic) => panic.shown(frames),
            None => Shown {
                message: Some(text),
                frames: texts(&frames),
            },
        }
    }

    /// Returns the text lines, and the frames that are to be shown.
    fn text(&self, is_shown: impl Fn(bool) -> bool) -> String {
        let mut frames = 0;
        let lines = self.lines.iter().filter_map(|line| match line {
            MessageLine::Text(text) => Some(*text),
            MessageLine::Frame { text, is_own } => {
                let is_shown = is_shown(*is_own) && frames < FRAMES;
                frames += usize::from(is_shown);
                is_shown.then_some(text.as_str())
            }
        });
        let lines: Vec<_> = lines.collect();
        lines.join("\n")
    }
}

/// A place in a source, with the name of its file.
struct MappedPlace {
    file: String,
    line: u32,
    column: Option<u32>,
}

/// Returns, for each frame, its place in the sources of a bundle, if it has one.
fn mapped(sources: Option<&Sources>, lines: &[StackLine<'_>]) -> Vec<Option<MappedPlace>> {
    let map = sources.and_then(|sources| sources.map.as_ref());
    let frames = lines.iter().filter_map(|line| match line {
        StackLine::Frame(frame) => Some(frame.place),
        StackLine::Text(_) => None,
    });
    let Some(map) = map else {
        return frames.map(|_| None).collect();
    };
    // A place that the map can't have stands for a frame without one.
    let nowhere = BundlePlace { line: 0, column: 0 };
    let in_bundle = frames.map(|place| match place {
        Some(FilePlace { file, line, column }) if file.trim_start_matches('/') == map.file => {
            let column = column.unwrap_or(1);
            BundlePlace { line, column }
        }
        Some(_) | None => nowhere,
    });
    let places: Vec<_> = in_bundle.collect();
    let found = map.positions(&places).into_iter();
    let found = found.map(|position| {
        position.map(|position| MappedPlace {
            file: bounded(FILE_BYTES, position.file),
            line: position.line,
            column: Some(position.column),
        })
    });
    found.collect()
}

fn shown_frame<'a>(
    sources: Option<&Sources>,
    frame: &StackFrame<'a>,
    mapped: Option<MappedPlace>,
) -> MessageLine<'a> {
    let StackFrame {
        function,
        place,
        rest,
    } = *frame;
    let is_in_bundle = mapped.is_some() || sources.is_none_or(|sources| sources.map.is_none());
    let place = mapped.or_else(|| {
        place.map(|FilePlace { file, line, column }| MappedPlace {
            file: bounded(FILE_BYTES, file),
            line,
            column,
        })
    });
    let Some(MappedPlace { file, line, column }) = place else {
        return MessageLine::Frame {
            text: format!("at {function} (native)"),
            is_own: false,
        };
    };
    let own = match sources {
        Some(sources) => sources.own(&file).filter(|_| is_in_bundle),
        None => Some(file.clone()),
    };
    let is_own = own.is_some();
    let file = own.unwrap_or(file);
    // Go's line about the origin of a goroutine.
    let at = if function.starts_with("created by ") {
        ""
    } else {
        "at "
    };
    let column = column.map_or_else(String::new, |column| format!(":{column}"));
    MessageLine::Frame {
        text: format!("{at}{function} ({file}:{line}{column}){rest}"),
        is_own,
    }
}

/// The message of a panic in Rust, which begins with its place.
struct RustPanic<'a> {
    place: &'a str,
    message: &'a str,
}

impl<'a> RustPanic<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let text = text.strip_prefix("panicked at ")?;
        let (place, message) = text.split_once(":\n")?;
        let is_place = !place.contains('\n') && FilePlace::parse(place).is_some();
        is_place.then_some(Self { place, message })
    }

    /// Shows the message first, and the place with the innermost frame.
    fn shown(&self, mut frames: Vec<EngineFrame>) -> Shown {
        let message = format!("panicked: {}", self.message);
        // A frame of debug information has the same place, without the column.
        let innermost = frames.first_mut().filter(|frame| frame.is_named);
        match innermost {
            Some(frame) if frame.place.is_none() => {
                frame.place = Some(crate::guest_text::one_line(self.place));
                Shown {
                    message: Some(message),
                    frames: texts(&frames),
                }
            }
            Some(frame) if frame.place.as_ref().is_some_and(|place| self.is_at(place)) => Shown {
                message: Some(message),
                frames: texts(&frames),
            },
            Some(_) => Shown {
                message: Some(format!("{message}\nat {}", self.place)),
                frames: texts(&frames),
            },
            // Numbers of functions say less than the place.
            None => Shown {
                message: Some(format!("{message}\nat {}", self.place)),
                frames: Vec::new(),
            },
        }
    }

    /// Returns true if `place` is the file and line of the panic.
    fn is_at(&self, place: &str) -> bool {
        let rest = self.place.strip_prefix(place);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
    }
}

#[cfg(test)]
mod tests;
