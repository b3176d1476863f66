//! Makes a component from a core module and a world, in process.

use std::path::PathBuf;

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::{Resolve, SourceMap, WorldId};

use crate::workspace::workspace_root;

/// The WIT packages that a guest is built against.
#[derive(Clone, Debug)]
pub struct Packages {
    resolve: Resolve,
    world: WorldId,
}

fn contract() -> PathBuf {
    workspace_root().join("wit")
}

impl Packages {
    /// Returns the contract as it is, and its world.
    ///
    /// # Panics
    ///
    /// If a package or a module is malformed.
    #[must_use]
    pub fn contract() -> Self {
        let mut resolve = Resolve::default();
        let (package, _) = resolve.push_dir(contract()).expect("the contract parses");
        let world = resolve
            .select_world(&[package], Some("stream-operator"))
            .expect("the contract has its world");
        Self { resolve, world }
    }

    /// Returns the contract with `replace` replaced in every file: another version of it.
    ///
    /// # Panics
    ///
    /// If a package or a module is malformed.
    #[must_use]
    pub fn contract_with(replace: &str, with: &str) -> Self {
        let mut sources = SourceMap::new();
        for entry in std::fs::read_dir(contract()).expect("the contract is there") {
            let path = entry.expect("it can be listed").path();
            if path.extension().is_some_and(|extension| extension == "wit") {
                let text = std::fs::read_to_string(&path).expect("it is text");
                sources.push(&path, text.replace(replace, with));
            }
        }
        let group = sources.parse().map_err(|(_, error)| error);
        let mut resolve = Resolve::default();
        let package = resolve
            .push_group(group.expect("it parses"))
            .expect("it resolves");
        let world = resolve
            .select_world(&[package], Some("stream-operator"))
            .expect("it has the world");
        Self { resolve, world }
    }

    /// Adds a package beside the contract; components get its world. It may use the packages before
    /// it.
    ///
    /// # Panics
    ///
    /// If a package or a module is malformed.
    #[must_use]
    pub fn and(mut self, package: &str) -> Self {
        let id = self
            .resolve
            .push_str("test.wit", package)
            .unwrap_or_else(|error| panic!("{error:?}"));
        if let Ok(world) = self.resolve.select_world(&[id], None) {
            self.world = world;
        }
        self
    }

    /// Makes a component of the world out of a core module in text form.
    ///
    /// # Panics
    ///
    /// If a package or a module is malformed.
    #[must_use]
    pub fn component(&self, module: &str) -> Vec<u8> {
        let bytes = wat::parse_str(module).unwrap_or_else(|error| panic!("{error}\n{module}"));
        self.component_of(bytes)
    }

    /// Makes a component of the world out of a core module in binary form.
    ///
    /// # Panics
    ///
    /// If a package or a module is malformed.
    #[must_use]
    pub fn component_of(&self, mut bytes: Vec<u8>) -> Vec<u8> {
        embed_component_metadata(&mut bytes, &self.resolve, self.world, StringEncoding::UTF8)
            .expect("the world is encoded");
        ComponentEncoder::default()
            .module(&bytes)
            .and_then(|encoder| encoder.validate(true).encode())
            .unwrap_or_else(|error| panic!("{error:?}"))
    }
}
