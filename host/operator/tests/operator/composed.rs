//! An operator that is composed of two components. wasmtime generates adapter modules for these,
//! and validates them with our configuration.

use tidegate_operator::{Component, GuestCall};
use wasm_encoder::{
    Alias, ComponentAliasSection, ComponentExportKind, ComponentExportSection,
    ComponentInstanceSection, ComponentSection, ComponentSectionId, RawSection,
};

use crate::support::guest::Guest;
use crate::support::records::{batch, emitted};
use crate::support::wit::Packages;
use crate::support::{ENGINE, context, patient};

const SHOUTING: &str = "package test:helper;
    interface shouting { shout: func(text: string) -> string; }
    world helper { export shouting; }";

/// The types that the operator imports, as the outer component gets them. Its binary form has one
/// import, instance 0; the following sections are appended.
const OUTER: &str = r#"(component
  (import "tidegate:operator/types@0.1.0" (instance
    (type $timestamp' s64)
    (export "timestamp" (type $timestamp (eq $timestamp')))
    (type $column' (record (field "offsets" (list u32)) (field "data" (list u8))))
    (export "column" (type $column (eq $column')))
    (type $batch' (record (field "timestamps" (list $timestamp))
                          (field "keys" $column) (field "values" $column)))
    (export "batch" (type $batch (eq $batch')))
    (type $emission' (record (field "port" u32) (field "records" $batch)))
    (export "emission" (type (eq $emission')))
    (type $chunk' (record (field "name" string) (field "schema-version" u32)
                          (field "key-group" (option u32)) (field "bytes" (list u8))))
    (export "state-chunk" (type (eq $chunk')))
    (type $context' (record
      (field "job" string) (field "operator" string) (field "subtask" u32)
      (field "parallelism" u32) (field "max-parallelism" u32) (field "first-key-group" u32)
      (field "last-key-group" u32) (field "inputs" (list string)) (field "outputs" (list string))
      (field "config" string) (field "hash-seed" u64)))
    (export "context" (type (eq $context')))
    (type $failure' (variant (case "invalid-record" (tuple u32 string))
                             (case "incompatible-state" string) (case "other" string)))
    (export "failure" (type (eq $failure'))))))"#;

/// Returns a component that returns its string argument, from its own memory.
fn helper() -> Vec<u8> {
    let module = r#"(module
        (memory (export "memory") 1)
        (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096))
        (func (export "test:helper/shouting#shout") (param i32 i32) (result i32)
            (i32.store (i32.const 8) (local.get 0))
            (i32.store (i32.const 12) (local.get 1))
            (i32.const 8)))"#;
    Packages::contract().and(SHOUTING).component(module)
}

/// Returns an echo that sends the keys' bytes through the helper before it emits them.
fn operator() -> Vec<u8> {
    let world = "package test:main; world main {
        include tidegate:operator/stream-operator@0.1.0; import test:helper/shouting; }";
    let through_the_helper = "
        (call $shout (local.get $keys) (local.get $keys_len) (i32.const 512))
        (call $pair (i32.const 1104) (local.get $times) (local.get $rows))
        (call $pair (i32.const 1112) (local.get $key_offsets) (local.get $key_offsets_len))
        (call $pair (i32.const 1120) (i32.load (i32.const 512)) (i32.load (i32.const 516)))
        (call $pair (i32.const 1128) (local.get $value_offsets) (local.get $value_offsets_len))
        (call $pair (i32.const 1136) (local.get $values) (local.get $values_len))
        (call $one_emission)";
    Guest::idle()
        .packages(Packages::contract().and(SHOUTING).and(world))
        .item(r#"(import "test:helper/shouting" "shout" (func $shout (param i32 i32 i32)))"#)
        .export(GuestCall::Process, through_the_helper)
        .component()
}

/// Returns both as one component that exports the operator's exports.
fn composed() -> Vec<u8> {
    let mut outer = wat::parse_str(OUTER).expect("it is a component");
    for nested in [helper(), operator()] {
        let section = RawSection {
            id: ComponentSectionId::Component.into(),
            data: &nested,
        };
        section.append_to_component(&mut outer);
    }

    let instance = ComponentExportKind::Instance;
    let no_arguments: [(&str, ComponentExportKind, u32); 0] = [];
    let mut instances = ComponentInstanceSection::new();
    instances.instantiate(0, no_arguments);
    instances.append_to_component(&mut outer);
    export_of(1, "test:helper/shouting").append_to_component(&mut outer);

    let mut instances = ComponentInstanceSection::new();
    instances.instantiate(
        1,
        [
            ("tidegate:operator/types@0.1.0", instance, 0),
            ("test:helper/shouting", instance, 2),
        ],
    );
    instances.append_to_component(&mut outer);
    let name = "tidegate:operator/operator@0.1.0";
    export_of(3, name).append_to_component(&mut outer);

    let mut exports = ComponentExportSection::new();
    exports.export(name, instance, 4, None);
    exports.append_to_component(&mut outer);
    outer
}

fn export_of(instance: u32, name: &str) -> ComponentAliasSection {
    let mut aliases = ComponentAliasSection::new();
    aliases.alias(Alias::InstanceExport {
        instance,
        kind: ComponentExportKind::Instance,
        name,
    });
    aliases
}

#[test]
fn a_composed_operator_loads_and_runs_under_our_configuration() {
    let component = Component::load(&ENGINE, "composed.wasm", &composed());
    let component = component.unwrap_or_else(|refusal| panic!("{refusal}"));
    let mut instance = component
        .instantiate(&context(), &patient())
        .expect("it opens");
    let records = batch(&[("a", "1"), ("bc", "2")]);
    let emissions = instance.process(0, records.clone()).expect("it processes");
    assert_eq!(emissions, emitted(records));
}
