//! Operators that instantiate another module many times.

use wasm_encoder::{ComponentSection as _, InstanceSection, ModuleArg, RawSection};

use super::guest::Guest;

/// Returns an operator beside which another module is instantiated `instances` times.
pub(crate) fn with_instances(module: &str, instances: u32) -> Vec<u8> {
    let mut component = Guest::idle().component();
    let modules = wasmparser::Parser::new(0).parse_all(&component);
    let own = |payload: &wasmparser::Result<wasmparser::Payload<'_>>| {
        matches!(payload, Ok(wasmparser::Payload::ModuleSection { .. }))
    };
    let index = u32::try_from(modules.filter(own).count()).expect("there are few");
    let module = wat::parse_str(module).expect("it is a module");
    RawSection {
        id: 1,
        data: &module,
    }
    .append_to_component(&mut component);
    let mut section = InstanceSection::new();
    for _ in 0..instances {
        section.instantiate(index, std::iter::empty::<(&str, ModuleArg)>());
    }
    section.append_to_component(&mut component);
    component
}
