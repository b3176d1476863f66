//! The work of an author of operators: new projects, builds, scenarios; and the particulars of each
//! language.

mod dev;
mod doctor;
mod new_project;
mod scenarios;
mod shared_crates;
mod templates;

mod c;
mod go;
mod javascript;
mod python;

use std::fs;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tidegate_tests::workspace_root;

/// Returns an empty folder of a test, the same in every run: compilers record the path of their
/// sources.
fn scratch(name: &str) -> PathBuf {
    let folder = workspace_root().join("target/tests").join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder).expect("what an earlier run left can be removed");
    }
    fs::create_dir_all(&folder).expect("a folder can be made");
    folder
}

/// Lets one test run after the other: compiling a component with an interpreter keeps all
/// processors busy.
fn one_at_a_time() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}
