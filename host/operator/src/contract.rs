//! The contract with guests by name: its version, its interfaces, their functions.

/// The version of the SDKs that build for this host.
pub const SDK_VERSION: &str = "0.1";
/// The world that an operator is built for.
pub(crate) const OPERATOR_WORLD: &str = "tidegate:operator/stream-operator@0.1.0";
/// The interface that an operator exports.
pub const OPERATOR_INTERFACE: &str = "tidegate:operator/operator@0.1.0";
/// The interface that an operator may import.
pub(crate) const HOST_INTERFACE: &str = "tidegate:operator/host@0.1.0";
/// The interface of types. It has no functions; an import of it requests nothing.
pub(crate) const TYPES_INTERFACE: &str = "tidegate:operator/types@0.1.0";

/// The functions that an operator exports.
pub(crate) const OPERATOR_FUNCTIONS: [&str; 7] = [
    "open",
    "process",
    "advance-watermark",
    "snapshot",
    "restore",
    "checkpoint-complete",
    "finish",
];
