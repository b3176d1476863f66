//! The code that wasmtime generates from `wit/`. It has `unsafe` in it, none of it ours.

wasmtime::component::bindgen!({
    path: "../../wit",
    world: "stream-operator",
    imports: { default: trappable },
});
