//! Operators for the micro-benchmarks: the real components.

use std::path::Path;

use tidegate_operator::{Component, Engine, Instance, Limits, OperatorContext};

/// The operator of `parity-sum`, which keeps a sum for each key.
pub(crate) const SUM: &str = "examples/parity-sum/operators/sum/sum.wasm";
/// Values are eight bytes, every update is emitted.
pub(crate) const SUM_CONFIG: &str = r#"{"emit":"updates","encoding":"le64"}"#;

/// Compiles a component that `make guests` or `make bench` has built.
pub(crate) fn component(path: &str) -> Component {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let bytes = std::fs::read(root.join(path));
    let bytes = bytes.unwrap_or_else(|error| panic!("{path}: {error}: run `make bench-micro`"));
    let engine = Engine::new().expect("the engine starts");
    Component::load(&engine, path, &bytes).expect("the component is one of ours")
}

/// The only subtask of an operator.
pub(crate) fn instance(component: &Component, config: &str) -> Instance {
    let context = OperatorContext {
        job: "bench".to_owned(),
        operator: "operator".to_owned(),
        subtask: 0,
        parallelism: 1,
        max_parallelism: 128,
        first_key_group: 0,
        last_key_group: 127,
        inputs: vec!["in".to_owned()],
        outputs: vec!["out".to_owned()],
        config: config.to_owned(),
    };
    let limits = Limits {
        memory: 1 << 30,
        ..Limits::default()
    };
    let instance = component.instantiate(&context, &limits);
    instance.expect("the operator opens")
}
