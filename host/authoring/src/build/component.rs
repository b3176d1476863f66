//! From a compiler's output to a component that is an operator, in this process.

use std::ops::Range;

use tidegate_operator::{OPERATOR_INTERFACE, Sources};
use wasm_encoder::{ComponentSection as _, CustomSection};
use wit_component::{ComponentEncoder, DecodedWasm, StringEncoding, embed_component_metadata};
use wit_parser::{Resolve, World, WorldId, WorldItem};

use super::error::BuildError;
use super::{Compiled, wit};

/// The export of an operator, in any version.
const OPERATOR: &str = "tidegate:operator/operator@";

/// The interfaces that an operator may import: those of its own package.
const GRANTED: &str = "tidegate:operator/";

/// The module name of WASI's older interface, and its stand-in.
const WASI: &str = "wasi_snapshot_preview1";
const DENY: &str = include_str!("deny.wat");

/// The imports of the stand-in for WASI.
const DENY_WORLD: &str = "package tidegate:deny;
world deny { import tidegate:operator/host@0.1.0; }";

/// The output of a compiler.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wasm {
    /// A core module that declares its own interface.
    Module(Vec<u8>),
    /// A core module that only has the functions of the interface, by their names. If it imports
    /// WASI preview 1, it gets a stand-in.
    BareModule(Vec<u8>),
    /// The same, from a language whose runtime writes to standard error in pieces.
    BareModuleWithRoom {
        core: Vec<u8>,
        /// Memory that the module never uses, where the stand-in joins the pieces.
        unused: Range<u32>,
    },
    /// A component.
    Component(Vec<u8>),
}

/// A component with its imports and exports.
#[derive(Debug)]
pub(super) struct Component {
    pub(super) bytes: Vec<u8>,
    pub(super) imports: Vec<String>,
    pub(super) exports: Vec<String>,
}

/// Makes a component of a compiler's output. Rejects a component that exports no operator, or that
/// imports anything no operator is given.
pub(super) fn encode(compiled: &Compiled) -> Result<Component, BuildError> {
    let unusable = |reason: String| BuildError::NotAComponent {
        name: compiled.name.clone(),
        reason,
    };
    let bytes = component_bytes(&compiled.wasm).map_err(|error| unusable(format!("{error:#}")))?;
    let bytes = with_sources(bytes, compiled.sources.as_ref());
    let decoded = wit_component::decode(&bytes).map_err(|error| unusable(format!("{error:#}")))?;
    let DecodedWasm::Component(resolve, world) = decoded else {
        return Err(unusable("it is not a component".to_owned()));
    };
    let world = &resolve.worlds[world];
    let imports = world.imports.keys().map(|key| resolve.name_world_key(key));
    let exports = world.exports.keys().map(|key| resolve.name_world_key(key));
    let component = Component {
        imports: imports.collect(),
        exports: exports.collect(),
        bytes,
    };
    check(&component, compiled)?;
    check_functions(&resolve, world, compiled)?;
    Ok(component)
}

/// Checks that the component has every function of the interface that this binary knows. The loader
/// checks their types.
fn check_functions(
    resolve: &Resolve,
    world: &World,
    compiled: &Compiled,
) -> Result<(), BuildError> {
    let (contract, contract_world) = wit::resolve();
    let mut missing = functions(&contract, &contract.worlds[contract_world]);
    let found = functions(resolve, world);
    missing.retain(|function| !found.contains(function));
    if missing.is_empty() {
        return Ok(());
    }
    Err(BuildError::MissingFunctions {
        name: compiled.name.clone(),
        functions: missing.iter().map(|name| format!("`{name}`")).collect(),
    })
}

/// Returns the functions of the operator interface that a world exports.
fn functions(resolve: &Resolve, world: &World) -> Vec<String> {
    let exports = world.exports.iter();
    let operator = exports.filter(|(key, _)| resolve.name_world_key(key) == OPERATOR_INTERFACE);
    let interfaces = operator.filter_map(|(_, item)| match item {
        WorldItem::Interface { id, .. } => Some(&resolve.interfaces[*id]),
        WorldItem::Function(_) | WorldItem::Type { .. } => None,
    });
    interfaces
        .flat_map(|interface| interface.functions.keys().cloned())
        .collect()
}

fn check(component: &Component, compiled: &Compiled) -> Result<(), BuildError> {
    let mut exports = component.exports.iter();
    match exports.find(|name| name.starts_with(OPERATOR)) {
        Some(found) if found == OPERATOR_INTERFACE => {}
        Some(found) => {
            return Err(BuildError::OtherVersion {
                name: compiled.name.clone(),
                found: found.clone(),
            });
        }
        None => {
            return Err(BuildError::NotAnOperator {
                name: compiled.name.clone(),
                remedy: compiled.language.kit().export_remedy,
            });
        }
    }
    let imports = component.imports.iter();
    let ungranted: Vec<_> = imports
        .filter(|name| !name.starts_with(GRANTED))
        .cloned()
        .collect();
    if ungranted.is_empty() {
        return Ok(());
    }
    Err(BuildError::UngrantedImports {
        name: compiled.name.clone(),
        imports: ungranted,
    })
}

/// Appends the description of the author's sources, unless it is longer than the host reads.
fn with_sources(mut component: Vec<u8>, sources: Option<&Sources>) -> Vec<u8> {
    if let Some(data) = sources.and_then(Sources::to_section) {
        let section = CustomSection {
            name: Sources::SECTION.into(),
            data: data.into(),
        };
        section.append_to_component(&mut component);
    }
    component
}

fn component_bytes(wasm: &Wasm) -> anyhow::Result<Vec<u8>> {
    let encoder = ComponentEncoder::default().validate(true);
    match wasm {
        Wasm::Module(core) => encoder.module(core)?.encode(),
        Wasm::BareModule(core) => encode_bare(encoder, core, &(0..0)),
        Wasm::BareModuleWithRoom { core, unused } => encode_bare(encoder, core, unused),
        Wasm::Component(bytes) => Ok(bytes.clone()),
    }
}

fn encode_bare(
    encoder: ComponentEncoder,
    core: &[u8],
    unused: &Range<u32>,
) -> anyhow::Result<Vec<u8>> {
    let (resolve, world) = wit::resolve();
    let core = with_interface(core.to_vec(), &resolve, world)?;
    let deny = deny(unused)?;
    encoder.module(&core)?.adapter(WASI, &deny)?.encode()
}

/// Returns the stand-in for WASI, with its own imports.
fn deny(unused: &Range<u32>) -> anyhow::Result<Vec<u8>> {
    let global = |name: &str, number: u32| format!("(global ${name} i32 (i32.const {number}))");
    let mut text = DENY.to_owned();
    let room = unused.end - unused.start;
    for (name, number) in [("room_at", unused.start), ("room", room)] {
        let before = global(name, 0);
        assert!(text.contains(&before), "the stand-in has a global `{name}`");
        text = text.replace(&before, &global(name, number));
    }
    let (mut resolve, _) = wit::resolve();
    let package = resolve.push_str("deny.wit", DENY_WORLD)?;
    let world = resolve.select_world(&[package], None)?;
    with_interface(wat::parse_str(text)?, &resolve, world)
}

fn with_interface(mut core: Vec<u8>, resolve: &Resolve, world: WorldId) -> anyhow::Result<Vec<u8>> {
    embed_component_metadata(&mut core, resolve, world, StringEncoding::UTF8)?;
    Ok(core)
}
