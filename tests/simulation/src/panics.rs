//! Panics of the simulated process. The runtime survives these bugs, as it should; a simulation
//! must fail.

use std::cell::RefCell;
use std::panic;
use std::sync::Once;

thread_local! {
    /// The panics of this thread while it is watched; `None` otherwise.
    static PANICS: RefCell<Option<Vec<String>>> = const { RefCell::new(None) };
}

static HOOK: Once = Once::new();

/// Runs `act` and notes its panics instead of printing them.
pub(crate) fn watched<T>(act: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    HOOK.call_once(|| {
        let print = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            let noted = PANICS.with_borrow_mut(|panics| match panics {
                Some(panics) => {
                    panics.push(panic.to_string());
                    true
                }
                None => false,
            });
            if !noted {
                print(panic);
            }
        }));
    });
    PANICS.set(Some(Vec::new()));
    let done = act();
    let first = taken();
    PANICS.set(None);
    match first {
        Some(panic) => Err(format!("a panic: {panic}")),
        None => done,
    }
}

/// Takes the first noted panic, if there is one.
pub(crate) fn taken() -> Option<String> {
    PANICS.with_borrow_mut(|panics| {
        let panics = panics.as_mut()?;
        let taken = std::mem::take(panics);
        taken.into_iter().next()
    })
}
