//! From a core module to a component, in this process.

use wit_component::{ComponentEncoder, DecodedWasm};

use super::error::BuildError;

/// What an operator exports, in whatever version.
const OPERATOR: &str = "tidegate:operator/operator@";

/// A component, and what it says about itself.
#[derive(Debug)]
pub(super) struct Component {
    pub(super) bytes: Vec<u8>,
    pub(super) imports: Vec<String>,
    pub(super) exports: Vec<String>,
}

/// Makes a component of the core module of `crate_name`. Refuses one that exports no operator.
pub(super) fn encode(crate_name: &str, core: &[u8]) -> Result<Component, BuildError> {
    let unusable = |reason: String| BuildError::NotAComponent {
        crate_name: crate_name.to_owned(),
        reason,
    };
    let bytes = ComponentEncoder::default()
        .validate(true)
        .module(core)
        .and_then(|mut encoder| encoder.encode())
        .map_err(|error| unusable(format!("{error:#}")))?;
    let decoded = wit_component::decode(&bytes).map_err(|error| unusable(format!("{error:#}")))?;
    let DecodedWasm::Component(resolve, world) = decoded else {
        return Err(unusable("the encoder made no component".to_owned()));
    };
    let world = &resolve.worlds[world];
    let imports = world.imports.keys().map(|key| resolve.name_world_key(key));
    let exports = world.exports.keys().map(|key| resolve.name_world_key(key));
    let component = Component {
        imports: imports.collect(),
        exports: exports.collect(),
        bytes,
    };
    if !component
        .exports
        .iter()
        .any(|name| name.starts_with(OPERATOR))
    {
        return Err(BuildError::NotAnOperator {
            crate_name: crate_name.to_owned(),
        });
    }
    Ok(component)
}
