//! The warning about links that `**` does not follow.

use std::sync::Once;

use tidegate_operator::shown_text;

use super::glob_walk::Matches;
use super::path_glob::Glob;

/// The largest number of links that a warning names.
const SHOWN_LINKS: usize = 5;

/// Warns of left-out links, once in the life of a connector although it walks often.
pub(super) struct LeftOutLinks(Once);

impl LeftOutLinks {
    pub(super) fn new() -> Self {
        Self(Once::new())
    }

    pub(super) fn warn_once(&self, glob: &Glob, matches: &Matches) {
        let links = &matches.left_out;
        if links.is_empty() {
            return;
        }
        self.0.call_once(|| {
            let shown: Vec<&str> = links.iter().take(SHOWN_LINKS).map(String::as_str).collect();
            let more = match links.len().saturating_sub(SHOWN_LINKS) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            tracing::warn!(
                "`path` = \"{}\" does not reach the files behind the links {}{more}, since `**` \
                 does not follow links to directories. Set `follow-links = true` to read those \
                 files",
                shown_text(glob.text()),
                shown_text(&shown.join(", "))
            );
        });
    }
}
