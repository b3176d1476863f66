//! Compiled components on disk, so that only the first start of a job compiles.
//!
//! Machine code runs outside of any sandbox once it is loaded, so only code that this installation
//! compiled itself may be loaded. An entry carries a keyed BLAKE3 over its name and its code. The
//! key is a random file outside of the directory. Both belong to the user that runs the process and
//! are closed to all others, and the bytes that were verified are the bytes that are loaded. The
//! name is a digest of the component, the engine's settings and the host's version. In any other
//! case the component is compiled again: the cache can be deleted at any time, and no error of it
//! fails a job.

mod place;
mod trusted;

use std::hash::{Hash, Hasher};
use std::io::{self, Read as _, Write as _};
use std::path::Path;

use cap_std::fs::{Dir, OpenOptions};
use wasmtime::component::Component;

pub use place::CodeCacheError;

/// The first bytes of an entry, format version 1.
const MAGIC: [u8; 4] = *b"TGC\x01";

/// The purpose of the key that authenticates entries.
const PURPOSE: &str = "tidegate 2026-11 compiled component";

/// The largest entry that is read. Machine code is a few times as large as the component.
const MOST_BYTES: u64 = 1 << 30;

/// The largest number of entries, and of bytes in all of them; the oldest are removed first. The
/// entry of a component that carries Python has 35 MB.
const MOST_ENTRIES: usize = 100;
const MOST_KEPT_BYTES: u64 = 1 << 30;

/// A directory with compiled components. Processes may share it.
#[derive(Debug)]
pub struct CodeCache {
    entries: Dir,
    key: [u8; blake3::KEY_LEN],
}

impl CodeCache {
    /// Opens the directory `entries` and the file `key`, which is elsewhere. Creates either if it
    /// is missing, for this user alone.
    ///
    /// # Errors
    ///
    /// [`CodeCacheError`] if one of them can't be opened, or is open to other users. Continue
    /// without a cache then.
    pub fn open(entries: &Path, key: &Path) -> Result<Self, CodeCacheError> {
        Ok(Self {
            entries: place::private_directory(entries)?,
            key: place::private_key(key)?,
        })
    }

    /// Returns the component compiled from these bytes, if its entry exists and is genuine.
    pub(crate) fn load(&self, engine: &wasmtime::Engine, bytes: &[u8]) -> Option<Component> {
        let name = Name::of(engine, bytes);
        let entry = match self.read(&name) {
            Ok(entry) => entry,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            Err(error) => {
                tracing::debug!(
                    entry = name.as_str(),
                    "could not read a compiled component from the cache: {error}"
                );
                return None;
            }
        };
        let Some(code) = self.genuine(&name, &entry) else {
            tracing::warn!(
                entry = name.as_str(),
                "a compiled component in the cache is not genuine, so the host compiles the \
                 component again"
            );
            return None;
        };
        trusted::load(engine, code)
            .inspect_err(|error| {
                tracing::debug!(
                    entry = name.as_str(),
                    "could not load a compiled component from the cache: {error:#}"
                );
            })
            .ok()
    }

    /// Stores a component that was just compiled from these bytes.
    pub(crate) fn store(&self, engine: &wasmtime::Engine, bytes: &[u8], component: &Component) {
        let name = Name::of(engine, bytes);
        let stored = component
            .serialize()
            .map_err(|error| io::Error::other(format!("{error:#}")))
            .and_then(|code| self.write(&name, &code))
            .and_then(|()| self.drop_oldest());
        if let Err(error) = stored {
            tracing::debug!(
                entry = name.as_str(),
                "could not store a compiled component in the cache: {error}"
            );
        }
    }

    fn read(&self, name: &Name) -> io::Result<Vec<u8>> {
        let file = self.entries.open(name.as_str())?;
        let mut entry = Vec::new();
        file.take(MOST_BYTES).read_to_end(&mut entry)?;
        Ok(entry)
    }

    /// Returns the code of an entry if this installation wrote it under this name.
    fn genuine<'a>(&self, name: &Name, entry: &'a [u8]) -> Option<&'a [u8]> {
        let rest = entry.strip_prefix(&MAGIC)?;
        let (seal, code) = rest.split_first_chunk::<{ blake3::OUT_LEN }>()?;
        // The comparison takes the same time whatever differs.
        (blake3::Hash::from(*seal) == self.seal(name, code)).then_some(code)
    }

    fn seal(&self, name: &Name, code: &[u8]) -> blake3::Hash {
        let key = blake3::derive_key(PURPOSE, &self.key);
        let mut hasher = blake3::Hasher::new_keyed(&key);
        hasher.update(name.as_str().as_bytes());
        hasher.update(code);
        hasher.finalize()
    }

    /// Writes under a temporary name first, so that no reader sees half an entry. The entry need
    /// not survive a power failure: a damaged entry is not genuine.
    fn write(&self, name: &Name, code: &[u8]) -> io::Result<()> {
        let mut random = [0; 8];
        getrandom::fill(&mut random).map_err(io::Error::from)?;
        let temporary = format!("new-{}", u64::from_le_bytes(random));
        let options = OpenOptions::new().write(true).create_new(true).clone();
        let mut file = self.entries.open_with(&temporary, &options)?;
        let written = file
            .write_all(&MAGIC)
            .and_then(|()| file.write_all(self.seal(name, code).as_bytes()))
            .and_then(|()| file.write_all(code))
            .and_then(|()| {
                self.entries
                    .rename(&temporary, &self.entries, name.as_str())
            });
        if written.is_err() {
            // It may not exist; if it remains, it is harmless.
            drop(self.entries.remove_file(&temporary));
        }
        written
    }

    fn drop_oldest(&self) -> io::Result<()> {
        let mut entries = Vec::new();
        for entry in self.entries.entries()? {
            let entry = entry?;
            let metadata = entry.metadata()?;
            let modified = metadata.modified()?.into_std();
            entries.push((modified, entry.file_name(), metadata.len()));
        }
        entries.sort();
        let sizes: Vec<u64> = entries.iter().map(|(_, _, bytes)| *bytes).collect();
        for (_, name, _) in &entries[..surplus(&sizes)] {
            self.entries.remove_file(name)?;
        }
        Ok(())
    }
}

/// The file name of an entry.
struct Name(String);

impl Name {
    fn of(engine: &wasmtime::Engine, component: &[u8]) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(env!("CARGO_PKG_VERSION").as_bytes());
        hasher.update(blake3::hash(component).as_bytes());
        // Everything that the code depends on: settings, processor features, wasmtime's version.
        let mut settings = Settings(&mut hasher);
        engine.precompile_compatibility_hash().hash(&mut settings);
        Self(hasher.finalize().to_hex().to_string())
    }

    fn as_str(&self) -> &str {
        &self.0
    }
}

/// Feeds hashed values to BLAKE3.
struct Settings<'a>(&'a mut blake3::Hasher);

impl Hasher for Settings<'_> {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        unreachable!("the digest is taken from the inner hasher")
    }
}

/// Returns the number of entries to remove, given the sizes of all, the oldest first. The newest
/// stays.
fn surplus(sizes: &[u64]) -> usize {
    let mut kept = 0_u64;
    let newest_first = sizes.iter().rev().enumerate();
    let fits = |(place, bytes): &(usize, &u64)| {
        kept = kept.saturating_add(**bytes);
        *place == 0 || (*place < MOST_ENTRIES && kept <= MOST_KEPT_BYTES)
    };
    sizes.len() - newest_first.take_while(fits).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_entries_go_when_there_are_too_many_or_they_are_too_large() {
        assert_eq!(surplus(&[]), 0);
        assert_eq!(surplus(&[1; MOST_ENTRIES]), 0);
        assert_eq!(surplus(&[1; MOST_ENTRIES + 3]), 3);
        assert_eq!(surplus(&[MOST_KEPT_BYTES / 4; 6]), 2);
        assert_eq!(surplus(&[1, MOST_KEPT_BYTES + 1]), 1);
    }
}
