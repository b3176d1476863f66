//! The warning about files that discovery can't read.

use std::collections::BTreeSet;

use tidegate_operator::shown_text;

/// The largest number of files that one attempt warns of.
const MOST_WARNINGS: usize = 1_000;

/// Warns of each file once, although each walk meets it again.
#[derive(Default)]
pub(super) struct UnusableFiles(BTreeSet<String>);

impl UnusableFiles {
    pub(super) fn warn_once(&mut self, name: &str, reason: &str) {
        if self.0.len() >= MOST_WARNINGS || !self.0.insert(name.to_owned()) {
            return;
        }
        tracing::warn!(
            "`discover` skips {} for now, and retries it at each discovery: {reason}",
            shown_text(name)
        );
        if self.0.len() == MOST_WARNINGS {
            tracing::warn!(
                "`discover` has skipped {MOST_WARNINGS} files, and logs no further ones"
            );
        }
    }
}
