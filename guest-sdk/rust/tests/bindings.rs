//! The committed bindings are those that the generator makes of the contract.

use std::fs;

/// Takes the place of the macro with which the generator, for debugging, includes its output.
macro_rules! include {
    ($path:literal) => {
        const GENERATED: &str = include_str!($path);
    };
}

wit_bindgen::generate!({
    path: "../../wit",
    world: "stream-operator",
    pub_export_macro: true,
    export_macro_name: "export_bindings",
    default_bindings_module: "tidegate_sdk::bindings",
    debug: true,
});

const BINDINGS: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/src/bindings/stream_operator.in"
);

#[test]
fn the_bindings_are_those_of_the_contract() {
    if std::env::var_os("TIDEGATE_WRITE_BINDINGS").is_some() {
        fs::write(BINDINGS, GENERATED).expect("the bindings can be written");
    }
    let committed = fs::read_to_string(BINDINGS).expect("the bindings are there");
    assert!(
        committed == GENERATED,
        "{BINDINGS} is not of wit/: `make reference` writes it"
    );
}
