//! Operators for the micro-benchmarks: the real components.

use tidegate_operator::{Component, Engine};

use super::instances::workspace_file;

/// The operator of `parity-sum`, which keeps a sum for each key.
pub(crate) const SUM: &str = "examples/parity-sum/operators/sum/sum.wasm";
/// Its config: values are eight bytes, and it emits every update.
pub(crate) const SUM_CONFIG: &str = r#"{"emit":"updates","encoding":"le64"}"#;

/// Compiles a component.
pub(crate) fn component(path: &str) -> Component {
    let bytes = workspace_file(path);
    let engine = Engine::new().expect("the engine starts");
    Component::load(&engine, path, &bytes).expect("the component is one of ours")
}
