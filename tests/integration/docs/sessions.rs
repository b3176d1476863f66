//! Shell sessions of a page, run in order by one shell, in a folder with a copy of the examples.
//!
//! A line that begins with `$ ` is a command, and the lines up to the next command are its output;
//! a command without such lines may print anything. `...` stands for any number of lines, `…` for
//! any text within a line. A program may write to standard error and standard output at once, so
//! the lines of standard error are shown first.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tidegate_tests::{binary, guest, workspace_root};

use super::blocks::{Block, Note, Page, Step};

/// The operators of the jobs in the sessions.
const OPERATORS: [&str; 4] = [
    "examples/dead-letters/operators/speed",
    "examples/word-count/operators/count",
    "examples/word-count/operators/split",
    "tests/guests/count-v2",
];

/// Ends the processes that a session left running, and defines a wait for jobs for hidden commands.
const PRELUDE: &str = r#"
trap 'kill $(jobs -p) 2>/dev/null' EXIT
until_running() {
    until tidegate status "$1" --json 2>/dev/null | grep -q '"state": "running"'; do
        sleep 0.1
    done
}
until_checkpoint() {
    until tidegate status "$1" --json 2>/dev/null | grep -q '"completed": [1-9]'; do
        sleep 0.1
    done
}
"#;

/// A command of a session.
struct Shown {
    place: String,
    command: String,
    /// `None` if the page does not show the output.
    output: Option<Vec<String>>,
    exit_code: i32,
}

/// An executable step.
enum Action {
    Write { path: String, text: String },
    Run(Shown),
}

/// Runs the sessions of a page. Returns one text for each difference from the page.
pub(super) fn run(page: &Page) -> Vec<String> {
    let actions: Vec<Action> = page.steps.iter().flat_map(actions_of).collect();
    let place = Place::new();
    let script = place.script(&actions);
    let script_path = place.outputs.join("script");
    fs::write(&script_path, script).expect("the script can be written");
    let finished = Command::new("timeout")
        .args(["--kill-after=10", "600", "bash"])
        .arg(&script_path)
        .current_dir(&place.folder)
        .env("PATH", place.search_path())
        .env("SOURCES", workspace_root())
        .env(
            "TIDEGATE_TARGET_DIR",
            workspace_root().join("target/guests"),
        )
        .env("CARGO_NET_OFFLINE", "true")
        .envs(
            ["XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"]
                .map(|base| (base, binary().with_file_name("xdg").join(base))),
        )
        .stdin(Stdio::null())
        .output()
        .expect("bash can be started");
    let mut found = Vec::new();
    for (index, action) in actions.iter().enumerate() {
        if let Action::Run(shown) = action {
            found.extend(place.difference(index, shown));
        }
    }
    if !finished.status.success() {
        found.push(format!("{}: {}", page.path, text(&finished.stderr)));
    }
    found
}

fn actions_of(step: &Step) -> Vec<Action> {
    match step {
        Step::Hidden(command) => vec![Action::Run(Shown {
            place: "a hidden command".to_owned(),
            command: command.clone(),
            output: None,
            exit_code: 0,
        })],
        Step::Block(block) => match &block.note {
            Note::Write(path) => vec![Action::Write {
                path: path.clone(),
                text: block.text.clone(),
            }],
            Note::File(_) => Vec::new(),
            Note::None | Note::Fails(_) if block.language == "console" => {
                commands(block).into_iter().map(Action::Run).collect()
            }
            Note::None | Note::Fails(_) => Vec::new(),
        },
    }
}

fn commands(block: &Block) -> Vec<Shown> {
    let mut commands: Vec<Shown> = Vec::new();
    for (index, line) in block.text.lines().enumerate() {
        if let Some(command) = line.strip_prefix("$ ") {
            commands.push(Shown {
                place: format!("{}:{}", block.page, block.line + 1 + index),
                command: command.to_owned(),
                output: None,
                exit_code: 0,
            });
        } else if let Some(last) = commands.last_mut() {
            let output = last.output.get_or_insert_default();
            output.push(line.to_owned());
        }
    }
    if let (Note::Fails(code), Some(last)) = (&block.note, commands.last_mut()) {
        last.exit_code = *code;
    }
    commands
}

/// The folder in which a page's sessions run.
struct Place {
    folder: PathBuf,
    outputs: PathBuf,
}

impl Place {
    /// Makes an empty folder with the examples in it, the same one for every page.
    fn new() -> Self {
        for operator in OPERATORS {
            assert!(guest(operator).is_file(), "it was built");
        }
        let root = workspace_root();
        let place = Self {
            folder: root.join("target/tests/docs/folder"),
            outputs: root.join("target/tests/docs/outputs"),
        };
        for folder in [&place.folder, &place.outputs] {
            if folder.exists() {
                fs::remove_dir_all(folder).expect("what an earlier page left can be removed");
            }
            fs::create_dir_all(folder).expect("a folder can be made");
        }
        copy(&root.join("examples"), &place.folder.join("examples"));
        place
    }

    fn search_path(&self) -> String {
        let binary = binary();
        let folder = binary.parent().expect("the binary lies in a folder");
        let others = std::env::var("PATH").unwrap_or_default();
        format!("{}:{others}", folder.display())
    }

    /// Returns the script of all actions. If a command fails, the script ends and prints the
    /// command's output.
    fn script(&self, actions: &[Action]) -> String {
        let outputs = self.outputs.display();
        let mut script = PRELUDE.to_owned();
        for (index, action) in actions.iter().enumerate() {
            let written = match action {
                Action::Write { path, text } => write!(
                    script,
                    "mkdir -p \"$(dirname {path})\"\n\
                     cat >{path} <<'END_OF_BLOCK'\n{text}END_OF_BLOCK\n"
                ),
                Action::Run(shown) => write!(
                    script,
                    "{{ {}\n}} >{outputs}/{index}.out 2>{outputs}/{index}.err; code=$?\n\
                     [ $code -eq {} ] || {{ echo \"{} exit code $code:\" >&2; \
                     cat {outputs}/{index}.* >&2; exit 1; }}\n",
                    shown.command, shown.exit_code, shown.place
                ),
            };
            written.expect("a string can be written");
        }
        script
    }

    fn difference(&self, index: usize, shown: &Shown) -> Option<String> {
        let expected = shown.output.as_ref()?;
        let read = |stream| fs::read(self.outputs.join(format!("{index}.{stream}"))).ok();
        let printed = text(&[read("err")?, read("out")?].concat());
        let lines: Vec<&str> = printed.trim_end().lines().map(str::trim_end).collect();
        let trimmed: Vec<&str> = expected.iter().map(|line| line.trim_end()).collect();
        let end = trimmed.iter().rposition(|line| !line.is_empty());
        let wanted = &trimmed[..end.map_or(0, |end| end + 1)];
        if matches(wanted, &lines) {
            return None;
        }
        let (place, command) = (&shown.place, &shown.command);
        Some(format!(
            "{place}: `{command}` prints something else:\n{printed}"
        ))
    }
}

/// Returns true if the lines match the shown ones.
fn matches(shown: &[&str], lines: &[&str]) -> bool {
    match (shown.split_first(), lines.split_first()) {
        (None, None) => true,
        (Some((&"...", rest)), _) => {
            (0..=lines.len()).any(|skipped| matches(rest, &lines[skipped..]))
        }
        (Some((pattern, shown)), Some((line, lines))) => {
            line_matches(pattern, line) && matches(shown, lines)
        }
        (None, Some(_)) | (Some(_), None) => false,
    }
}

fn line_matches(pattern: &str, line: &str) -> bool {
    let parts: Vec<&str> = pattern.split('…').collect();
    let [first, middle @ .., last] = parts.as_slice() else {
        return pattern == line;
    };
    let Some(mut rest) = line.strip_prefix(first) else {
        return false;
    };
    for part in middle {
        match rest.split_once(part) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// Copies a folder without the files that builds and runs leave in it.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder can be made");
    for entry in fs::read_dir(from).expect("the folder can be listed") {
        let name = entry.expect("an entry can be read").file_name();
        let left = ["target", "state", "output", "rejected", "node_modules"];
        let (from, to) = (from.join(&name), to.join(&name));
        if left.contains(&name.to_string_lossy().as_ref()) {
            continue;
        }
        if from.is_dir() {
            copy(&from, &to);
        } else {
            fs::copy(&from, &to).expect("a file can be copied");
        }
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn what_a_page_shows_is_compared_line_by_line() {
    let shown = |text: &'static str| text.lines().collect::<Vec<_>>();
    assert!(matches(&shown("a\n...\nc"), &["a", "b", "b", "c"]));
    assert!(matches(&shown("took … ms"), &["took 12 ms"]));
    assert!(!matches(&shown("took … ms"), &["took 12 s"]));
    assert!(!matches(&shown("a\n...\nc"), &["a", "b"]));
    assert!(!matches(&shown("a"), &["a", "b"]));
    let [shown] = commands(&Block {
        page: "a.md".to_owned(),
        line: 3,
        language: "console".to_owned(),
        note: Note::Fails(2),
        text: "$ false\nno\n".to_owned(),
    })
    .try_into()
    .unwrap_or_else(|_| unreachable!("there is one command"));
    assert_eq!((shown.place.as_str(), shown.exit_code), ("a.md:4", 2));
    assert_eq!(shown.output, Some(vec!["no".to_owned()]));
}
