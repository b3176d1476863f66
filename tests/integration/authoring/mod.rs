//! The work of an author of operators: a new project, builds, scenarios; and the particulars of
//! each language.

mod new_project;
mod scenarios;

mod c;
mod go;
mod javascript;
mod python;

use std::fs;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tidegate_tests::workspace_root;

/// A folder of a test's own, empty and the same in every run: compilers are told where their
/// sources are.
fn scratch(name: &str) -> PathBuf {
    let folder = workspace_root().join("target/tests").join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder).expect("what an earlier run left can be removed");
    }
    fs::create_dir_all(&folder).expect("a folder can be made");
    folder
}

/// Compiling a component with an interpreter keeps all processors busy: one test after the other.
fn one_at_a_time() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}
