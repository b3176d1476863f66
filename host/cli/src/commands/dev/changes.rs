//! Notices that files of the job change, and waits until they have been quiet for a while: editors
//! write a file in several steps, and save several files at once.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use super::scope::Scope;

/// The time without a change after which the job is prepared.
const QUIET: Duration = Duration::from_millis(300);
/// The time between two looks at the files if the system reports no changes.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// The changes of the files in a scope.
pub(super) struct Changes {
    /// `None` if the system refuses to report changes.
    watcher: Option<RecommendedWatcher>,
    watched: BTreeSet<PathBuf>,
    scope: Arc<Mutex<Scope>>,
    changed: Arc<Notify>,
    /// The end of the quiet time that a change began.
    due: Option<Instant>,
}

impl Changes {
    /// Starts with nothing to watch.
    pub(super) fn new(scope: Scope) -> Self {
        let scope = Arc::new(Mutex::new(scope));
        let changed = Arc::new(Notify::new());
        let (within, notify) = (Arc::clone(&scope), Arc::clone(&changed));
        let watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            let scope = within.lock().unwrap_or_else(PoisonError::into_inner);
            if is_change(event, |path| scope.concerns(path)) {
                notify.notify_one();
            }
        });
        Self {
            watcher: watcher.ok(),
            watched: BTreeSet::new(),
            scope,
            changed,
            due: None,
        }
    }

    /// Watches the files of this scope instead. Returns true if a folder is watched that was not
    /// watched before, and so may have changed unnoticed.
    pub(super) fn watch(&mut self, scope: &Scope) -> bool {
        let wanted = scope.folders();
        *self.scope.lock().unwrap_or_else(PoisonError::into_inner) = scope.clone();
        let Some(watcher) = &mut self.watcher else {
            return false;
        };
        for gone in self.watched.difference(&wanted) {
            // The folder itself may be gone.
            watcher.unwatch(gone).ok();
        }
        let new: Vec<_> = wanted.difference(&self.watched).collect();
        let has_new = !new.is_empty();
        for folder in new {
            let watched = watcher.watch(folder, RecursiveMode::NonRecursive);
            if let Err(error) = watched.or_else(|error| ignore_missing(error, folder)) {
                tracing::warn!(
                    "changes are looked for every {} s, because the system does not report them: \
                     {error}",
                    LOOK_AGAIN.as_secs()
                );
                self.watcher = None;
                break;
            }
        }
        self.watched = wanted;
        has_new
    }

    /// Waits until files changed and then were quiet, or may have changed. Cancel-safe.
    pub(super) async fn next(&mut self) {
        loop {
            let now = Instant::now();
            let due = match (self.due, &self.watcher) {
                (Some(due), _) => due,
                (None, None) => *self.due.insert(now + LOOK_AGAIN),
                (None, Some(_)) => {
                    self.changed.notified().await;
                    self.due = Some(Instant::now() + QUIET);
                    continue;
                }
            };
            tokio::select! {
                () = self.changed.notified() => self.due = Some(Instant::now() + QUIET),
                () = sleep_until(due) => {
                    self.due = None;
                    return;
                }
            }
        }
    }
}

/// Returns true if a file of the job may have changed. Reading a file is an event, too.
fn is_change(event: notify::Result<Event>, concerns: impl Fn(&Path) -> bool) -> bool {
    match event {
        // An event that got lost may have been any.
        Err(_) => true,
        Ok(event) if event.need_rescan() => true,
        Ok(event) => match event.kind {
            EventKind::Access(_) => false,
            EventKind::Any
            | EventKind::Create(_)
            | EventKind::Modify(_)
            | EventKind::Remove(_)
            | EventKind::Other => event.paths.iter().any(|path| concerns(path)),
        },
    }
}

/// A folder that is gone has nothing to watch.
fn ignore_missing(error: notify::Error, folder: &Path) -> notify::Result<()> {
    if folder.is_dir() { Err(error) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use notify::event::{AccessKind, CreateKind, Flag, RemoveKind};

    use super::*;

    fn is_change_of(kind: EventKind, path: &str) -> bool {
        let event = Event::new(kind).add_path(PathBuf::from(path));
        is_change(Ok(event), |path| path == Path::new("/job.toml"))
    }

    #[test]
    fn a_file_of_the_job_that_is_written_is_a_change_and_one_that_is_read_is_none() {
        let created = EventKind::Create(CreateKind::File);
        assert!(is_change_of(created, "/job.toml"));
        assert!(is_change_of(
            EventKind::Remove(RemoveKind::File),
            "/job.toml"
        ));
        assert!(!is_change_of(created, "/output/part"));
        assert!(!is_change_of(
            EventKind::Access(AccessKind::Any),
            "/job.toml"
        ));
    }

    #[test]
    fn lost_events_are_a_change() {
        let lost = Event::new(EventKind::Other).set_flag(Flag::Rescan);
        assert!(is_change(Ok(lost), |_| false));
        assert!(is_change(Err(notify::Error::generic("lost")), |_| false));
    }

    #[tokio::test(start_paused = true)]
    async fn several_changes_in_a_row_are_one_that_comes_after_the_quiet_time() {
        let mut changes = Changes::new(Scope::of_file(Path::new("job.toml")));
        assert!(changes.watcher.is_some(), "the system watches files");
        let start = Instant::now();
        let changed = Arc::clone(&changes.changed);
        let writer = tokio::spawn(async move {
            for _ in 0..5 {
                changed.notify_one();
                tokio::time::sleep(QUIET / 2).await;
            }
        });
        changes.next().await;
        // The last of the five changes came after four pauses.
        assert_eq!(start.elapsed(), QUIET / 2 * 4 + QUIET);
        writer.await.expect("it does not panic");
        let again = tokio::time::timeout(Duration::from_secs(3_600), changes.next());
        assert!(again.await.is_err(), "there was no further change");
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_watcher_the_files_are_looked_at_again_and_again() {
        let mut changes = Changes::new(Scope::of_file(Path::new("job.toml")));
        changes.watcher = None;
        let start = Instant::now();
        changes.next().await;
        changes.next().await;
        assert_eq!(start.elapsed(), LOOK_AGAIN * 2);
    }
}
