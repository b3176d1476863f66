//! The code blocks of a page of Markdown, with the notes before them. Knows no language.

/// A comment in the line before a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Note {
    /// The block has no comment that concerns it.
    None,
    /// The block shows lines of this file of the project.
    File(String),
    /// The sessions of the page have this file, with the text of the block.
    Write(String),
    /// The last command of the session ends with this exit code.
    Fails(i32),
}

/// A fenced code block.
#[derive(Clone, Debug)]
pub(super) struct Block {
    pub(super) page: String,
    /// The line of the fence.
    pub(super) line: usize,
    /// The first word behind the fence; empty if there is none.
    pub(super) language: String,
    pub(super) note: Note,
    pub(super) text: String,
}

/// A step of the sessions of a page.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Block(Block),
    /// `<!-- hidden: COMMAND -->`: run, and not shown.
    Hidden(String),
}

/// A page and its blocks.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) path: String,
    pub(super) blocks: Vec<Block>,
    pub(super) steps: Vec<Step>,
    /// Blocks that can't be checked because of how they are written.
    pub(super) problems: Vec<String>,
}

impl Page {
    /// Reads the blocks of `text`.
    pub(super) fn parse(path: &str, text: &str) -> Self {
        let mut page = Self {
            path: path.to_owned(),
            blocks: Vec::new(),
            steps: Vec::new(),
            problems: Vec::new(),
        };
        let lines: Vec<&str> = text.lines().collect();
        let mut at = 0;
        let mut note = Note::None;
        while at < lines.len() {
            let line = lines[at];
            if let Some(language) = line.trim_start().strip_prefix("```") {
                let end = end_of_block(&lines, at);
                let block = Block {
                    page: page.path.clone(),
                    line: at + 1,
                    language: language.trim().to_owned(),
                    note: std::mem::replace(&mut note, Note::None),
                    text: unindented(&lines[at + 1..end], line),
                };
                page.blocks.push(block.clone());
                page.steps.push(Step::Block(block));
                at = end + 1;
                continue;
            }
            if is_indented_block(&lines, at) {
                page.problems.push(format!(
                    "{path}:{}: an indented block, use a fence that names its language",
                    at + 1
                ));
            }
            if let Some((kind, value)) = comment(line) {
                match kind {
                    "hidden" => page.steps.push(Step::Hidden(value.to_owned())),
                    "file" => note = Note::File(value.to_owned()),
                    "write" => note = Note::Write(value.to_owned()),
                    "fails" => note = Note::Fails(value.parse().expect("an exit code")),
                    _ => {}
                }
            }
            at += 1;
        }
        page
    }

    /// Returns true if the page has commands to run.
    pub(super) fn has_session(&self) -> bool {
        self.blocks.iter().any(|block| block.language == "console")
    }
}

fn end_of_block(lines: &[&str], start: usize) -> usize {
    let rest = &lines[start + 1..];
    let end = rest.iter().position(|line| line.trim() == "```");
    end.map_or(lines.len(), |end| start + 1 + end)
}

/// Returns the lines without the indentation of their fence, such as a list's.
fn unindented(lines: &[&str], fence: &str) -> String {
    let width = fence.len() - fence.trim_start().len();
    let cut = |line: &&str| format!("{}\n", line.get(width..).unwrap_or_default());
    lines.iter().map(cut).collect()
}

/// Returns true if the line is indented by four spaces behind an empty line, which makes a block
/// except in a list.
fn is_indented_block(lines: &[&str], at: usize) -> bool {
    if !lines[at].starts_with("    ") || at == 0 || !lines[at - 1].trim().is_empty() {
        return false;
    }
    let mut before = lines[..at].iter().rev();
    let outer = before.find(|line| !line.trim().is_empty() && !line.starts_with(' '));
    let in_list = |line: &&str| {
        line.starts_with("- ") || line.starts_with(|first: char| first.is_ascii_digit())
    };
    !outer.is_some_and(in_list)
}

/// Returns the kind and value of `<!-- kind: value -->`.
fn comment(line: &str) -> Option<(&str, &str)> {
    let inner = line.trim().strip_prefix("<!-- ")?.strip_suffix(" -->")?;
    inner.split_once(": ")
}
