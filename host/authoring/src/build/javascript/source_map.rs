//! The source map of a bundle, as it goes into the component: names of sources in the project, and
//! no contents.
//!
//! The same sources give the same map on every machine, as long as all are in the project, its SDK
//! or folders with a fixed place beside it.

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use serde::Deserialize;
use tidegate_operator::SourceMap;

use crate::build::error::BuildError;

/// The name of the SDK's folder, and of the entry module that `tidegate build` writes.
const SDK: &str = "@tidegate/sdk";

/// The name that the bundler has for its standard input: the entry module.
const STANDARD_INPUT: &str = "<stdin>";

/// The relevant part of the map that the bundler wrote.
#[derive(Debug, Deserialize)]
struct Written {
    version: u32,
    sources: Vec<String>,
    mappings: String,
}

/// Reads the map that the bundler wrote beside a bundle, for a package in `folder` whose SDK is in
/// `sdk`.
pub(super) fn of_bundle(bundle: &Path, folder: &Path, sdk: &Path) -> Result<SourceMap, BuildError> {
    let mut path = bundle.as_os_str().to_owned();
    path.push(".map");
    let path = PathBuf::from(path);
    let unreadable = |source| BuildError::Read {
        path: path.clone(),
        source,
    };
    let text = fs::read(&path).map_err(unreadable)?;
    let written: Written =
        serde_json::from_slice(&text).map_err(|error| unreadable(io::Error::from(error)))?;
    let folder = fs::canonicalize(folder).map_err(unreadable)?;
    let beside = bundle.parent().unwrap_or(Path::new("/"));
    let names = Names {
        folder: &folder,
        sdk,
    };
    let sources = written.sources.iter();
    let file = bundle.file_name().unwrap_or_default();
    Ok(SourceMap {
        version: written.version,
        file: file.to_string_lossy().into_owned(),
        sources: sources.map(|source| names.of(beside, source)).collect(),
        mappings: written.mappings,
    })
}

/// The folders by which sources are named.
struct Names<'a> {
    folder: &'a Path,
    sdk: &'a Path,
}

impl Names<'_> {
    /// Returns the name of a source, which the bundler names relative to the folder `beside`.
    fn of(&self, beside: &Path, source: &str) -> String {
        if source == STANDARD_INPUT || source.ends_with(STANDARD_INPUT) {
            return format!("{SDK}/{STANDARD_INPUT}");
        }
        let path = without_dots(&beside.join(source));
        // The SDK may be a copy in the project, and the project an example of the SDK.
        let is_inner = self.folder.starts_with(self.sdk) && path.starts_with(self.folder);
        match path.strip_prefix(self.sdk) {
            Ok(rest) if !is_inner => format!("{SDK}/{}", rest.to_string_lossy()),
            Ok(_) | Err(_) => relative(&path, self.folder),
        }
    }
}

/// Removes `.` and `..` from an absolute path, without a look at the disk.
fn without_dots(path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => drop(clean.pop()),
            Component::CurDir => {}
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => {
                clean.push(component);
            }
        }
    }
    clean
}

/// Returns the way from a folder to a path; both are absolute.
fn relative(path: &Path, folder: &Path) -> String {
    let shared = path.components().zip(folder.components());
    let shared = shared.take_while(|(left, right)| left == right).count();
    let up = folder
        .components()
        .skip(shared)
        .map(|_| Component::ParentDir);
    let way: PathBuf = up.chain(path.components().skip(shared)).collect();
    way.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_project_in_the_folder_of_the_sdk_has_sources_of_its_own() {
        let names = Names {
            folder: Path::new("/sdk/examples/count"),
            sdk: Path::new("/sdk"),
        };
        let of = |source| names.of(Path::new("/sdk/examples/count/target/tidegate"), source);
        assert_eq!(of("../../src/count.js"), "src/count.js");
        assert_eq!(of("../../../../src/typed.js"), "@tidegate/sdk/src/typed.js");
    }

    #[test]
    fn sources_are_named_from_the_project_and_from_the_sdk() {
        let names = Names {
            folder: Path::new("/home/me/total"),
            sdk: Path::new("/home/me/total/sdk"),
        };
        let beside = Path::new("/home/me/total/target/tidegate");
        let of = |source| names.of(beside, source);
        assert_eq!(of("../../src/./pricing.ts"), "src/pricing.ts");
        assert_eq!(of("../../sdk/src/typed.js"), "@tidegate/sdk/src/typed.js");
        assert_eq!(of("../../../shared/rates.js"), "../shared/rates.js");
        assert_eq!(
            of("../../../../node_modules/left-pad/index.js"),
            "../../node_modules/left-pad/index.js"
        );
        assert_eq!(of("<stdin>"), "@tidegate/sdk/<stdin>");
    }
}
