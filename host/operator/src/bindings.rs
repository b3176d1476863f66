//! What wasmtime generates from `wit/`. The only file with `unsafe` in it, none of it ours.

wasmtime::component::bindgen!({
    path: "../../wit",
    world: "stream-operator",
    imports: { default: trappable },
});
