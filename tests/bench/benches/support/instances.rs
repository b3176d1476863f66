//! Instances of the real components.

use std::path::Path;

use tidegate_key_groups::KeyGroups;
use tidegate_operator::{Component, Instance, Limits, OperatorContext, OperatorDescription};

/// Reads a file that `make guests`, `make bench-micro` or `make bench-languages` has built.
pub(crate) fn workspace_file(path: &str) -> Vec<u8> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let bytes = std::fs::read(root.join(path));
    bytes.unwrap_or_else(|error| panic!("{path}: {error}: build it, see the Makefile"))
}

/// Opens the only subtask of an operator.
pub(crate) fn instance(component: &Component, config: &str) -> Instance {
    let operator = OperatorDescription {
        job: "bench".to_owned(),
        operator: "operator".to_owned(),
        inputs: vec!["in".to_owned()],
        outputs: vec!["out".to_owned()],
        config: config.to_owned(),
    };
    let key_groups = KeyGroups::new(128, 1);
    let context = OperatorContext::of_subtask(operator, key_groups, 0, 0x7469_6465_6761_7465);
    let limits = Limits {
        memory: 1 << 30,
        ..Limits::default()
    };
    let instance = component.instantiate(&context, &limits);
    instance.expect("the operator opens")
}
