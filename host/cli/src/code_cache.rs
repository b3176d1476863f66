//! The place of this user's compiled components.
//!
//! In the XDG base directories: code under `$XDG_CACHE_HOME/tidegate`, and the key that
//! authenticates it under `$XDG_STATE_HOME/tidegate`.

use std::env;
use std::path::PathBuf;

use tidegate_operator::{CodeCache, CodeCacheError};

/// Opens the cache of this user, or returns `None` if it can't be used. Without a cache, components
/// are compiled at each start.
pub(crate) fn of_this_user() -> Option<CodeCache> {
    let code = base("XDG_CACHE_HOME", ".cache")?.join("tidegate/components");
    let key = base("XDG_STATE_HOME", ".local/state")?.join("tidegate/component-key");
    match CodeCache::open(&code, &key) {
        Ok(cache) => Some(cache),
        Err(error @ CodeCacheError::Unusable { .. }) => {
            tracing::debug!("compiled components are not cached: {error}");
            None
        }
        Err(error @ (CodeCacheError::NotPrivate { .. } | CodeCacheError::NoKey { .. })) => {
            tracing::warn!("compiled components are not cached: {error}");
            None
        }
    }
}

/// Returns a base directory: the variable's if it is an absolute path, else one in the home
/// directory.
fn base(variable: &str, in_home: &str) -> Option<PathBuf> {
    let absolute = |path: &PathBuf| path.is_absolute();
    let named = env::var_os(variable).map(PathBuf::from).filter(absolute);
    named.or_else(|| {
        let home = env::var_os("HOME").map(PathBuf::from).filter(absolute)?;
        Some(home.join(in_home))
    })
}
