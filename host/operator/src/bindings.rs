//! The code that wasmtime generates from `wit/`. All `unsafe` in it is wasmtime's.

wasmtime::component::bindgen!({
    path: "../../wit",
    world: "stream-operator",
    imports: { default: trappable },
});
