//! The sources of a component, which `tidegate build` describes in a custom section of it.
//!
//! The section `tidegate:sources` holds JSON; `FORMAT.md` of this crate has its fields. The
//! component's author controls it, so the host keeps it as bytes, within a limit, and reads it only
//! after a trap. Contents that can't be read mean that nothing is known of the sources.

use serde::{Deserialize, Serialize};
use wasmparser::{Parser, Payload};

/// The version of the format.
const VERSION: u32 = 1;

/// The folders of the code that is not the author's own, in the names of a source map.
const FOREIGN_FOLDERS: [&str; 2] = ["@tidegate/sdk/", "node_modules/"];

/// The sources of a component: the way from the files that a stack names to the author's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sources {
    version: u32,
    /// The place of the author's files, if stacks name them at another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root: Option<SourceRoot>,
    /// The source map of a bundle, if the component has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub map: Option<SourceMap>,
}

/// The place of the author's files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceRoot {
    /// The beginning of their names in a stack; no file of another author begins with it.
    pub prefix: String,
    /// The folder in the project that the prefix stands for; it is empty or ends in `/`.
    pub folder: String,
}

/// A source map, version 3 of the format, without the contents of the sources.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceMap {
    /// The version of the format of source maps.
    pub version: u32,
    /// The name of the bundle.
    pub file: String,
    /// The sources, relative to the project.
    pub sources: Vec<String>,
    /// The places of the sources in the bundle.
    pub mappings: String,
}

impl Sources {
    /// The name of the custom section.
    pub const SECTION: &str = "tidegate:sources";
    /// The largest section that the host reads.
    pub const MOST_BYTES: usize = 4 << 20;

    /// Returns sources with a root.
    #[must_use]
    pub fn at(root: SourceRoot) -> Self {
        Self {
            version: VERSION,
            root: Some(root),
            map: None,
        }
    }

    /// Returns sources that were bundled.
    #[must_use]
    pub fn bundled(map: SourceMap) -> Self {
        Self {
            version: VERSION,
            root: None,
            map: Some(map),
        }
    }

    /// Returns the contents of the custom section, or `None` if the host would not read as much.
    #[must_use]
    pub fn to_section(&self) -> Option<Vec<u8>> {
        let json = serde_json::to_vec(self).expect("text and numbers become JSON");
        (json.len() <= Self::MOST_BYTES).then_some(json)
    }

    /// Returns a file as the author knows it, or `None` for a file of others.
    pub(super) fn own(&self, file: &str) -> Option<String> {
        match (&self.root, &self.map) {
            (Some(root), _) => {
                let rest = file.strip_prefix(&*root.prefix)?;
                Some(format!("{}{rest}", root.folder))
            }
            (None, Some(_)) => {
                let is_foreign = FOREIGN_FOLDERS.iter().any(|folder| file.contains(folder));
                (!is_foreign).then(|| file.to_owned())
            }
            (None, None) => Some(file.to_owned()),
        }
    }
}

/// The custom section of a component, unread.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct SourcesSection(Vec<u8>);

impl SourcesSection {
    /// Finds the section in a component that was found to be valid: the first one that is not part
    /// of a module or component in it, unless it is too long.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the format's enum grows, and other sections say nothing of the sources"
    )]
    pub(crate) fn of(component: &[u8]) -> Option<Self> {
        let mut depth = 0_usize;
        for payload in Parser::new(0).parse_all(component) {
            match payload.ok()? {
                Payload::Version { .. } => depth += 1,
                Payload::End(_) => depth = depth.saturating_sub(1),
                Payload::CustomSection(section)
                    if depth == 1 && section.name() == Sources::SECTION =>
                {
                    let data = section.data();
                    let fits = data.len() <= Sources::MOST_BYTES;
                    return fits.then(|| Self(data.to_vec()));
                }
                _ => {}
            }
        }
        None
    }

    /// Reads the section. Called after a trap.
    pub(crate) fn read(&self) -> Option<Sources> {
        let sources: Sources = serde_json::from_slice(&self.0).ok()?;
        (sources.version == VERSION).then_some(sources)
    }
}

impl std::fmt::Debug for SourcesSection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SourcesSection")
            .field("bytes", &self.0.len())
            .finish()
    }
}

#[cfg(test)]
mod tests;
