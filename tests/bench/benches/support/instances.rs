//! Instances of the real components.

use std::path::Path;

use tidegate_operator::{Component, Instance, Limits, OperatorContext};

/// A file that `make guests`, `make bench-micro` or `make bench-languages` has built.
pub(crate) fn workspace_file(path: &str) -> Vec<u8> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let bytes = std::fs::read(root.join(path));
    bytes.unwrap_or_else(|error| panic!("{path}: {error}: build it, see the Makefile"))
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
        hash_seed: 0x7469_6465_6761_7465,
    };
    let limits = Limits {
        memory: 1 << 30,
        ..Limits::default()
    };
    let instance = component.instantiate(&context, &limits);
    instance.expect("the operator opens")
}
