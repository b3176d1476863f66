//! Refusals of components. No guest code has run when one of them is returned.

use thiserror::Error;

use crate::bounded_text::bounded;
use crate::contract::{HOST_INTERFACE, OPERATOR_INTERFACE, OPERATOR_WORLD, SDK_VERSION};
use crate::guest_text;
use crate::system_refusal::SystemRefusal;

/// A file that can't be an operator.
///
/// Names that come from the file are escaped, so that every message can be shown.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{path}: {cause}")]
pub struct Refusal {
    /// The path that the caller gave.
    pub path: String,
    /// The reason.
    pub cause: RefusalCause,
}

/// The reason why a file can't be an operator. The text continues after the path.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum RefusalCause {
    /// The file is larger than a component may be. It was not parsed.
    #[error("this file has {bytes} bytes; a component may have at most {limit}")]
    TooLarge {
        /// The size of the file.
        bytes: u64,
        /// The size that a component may have.
        limit: u64,
    },
    /// The file is empty.
    #[error("this file is empty; a component is expected")]
    Empty,
    /// The file was compiled to native code, which can't be checked and is never loaded.
    #[error(
        "this is a component precompiled to native code, which is never loaded; use the component \
         itself"
    )]
    Precompiled,
    /// The file is a core module.
    #[error("this is a core WebAssembly module; make a component of it with `tidegate build`")]
    CoreModule,
    /// The file is WebAssembly in its text format.
    #[error(
        "this is WebAssembly in its text format; \
         make a binary of it with `wasm-tools parse`"
    )]
    WasmText,
    /// The file is not WebAssembly, but a known kind of file.
    #[error("this is {kind}; a WebAssembly component is expected")]
    NotWasm {
        /// The kind of file.
        kind: &'static str,
    },
    /// The file is of no known kind.
    #[error(
        "this is not WebAssembly: it begins with the bytes {first_bytes}, but a component begins \
         with `00 61 73 6d`"
    )]
    Unrecognised {
        /// The first bytes, in hexadecimal.
        first_bytes: String,
    },
    /// The file is WebAssembly of a version that this host does not know.
    #[error("this is WebAssembly of an unknown version, {version}")]
    UnknownVersion {
        /// The version, in hexadecimal.
        version: String,
    },
    /// A count of the component is above its limit. It was not compiled.
    #[error("this component has {found} {what}; {limit} are allowed")]
    TooMuch {
        /// The items that were counted.
        what: &'static str,
        /// The number found.
        found: u64,
        /// The number allowed.
        limit: u64,
    },
    /// The host gave up compiling. The compiler's thread continues until the process ends.
    #[error("compiling this component takes {resource}, so the host gave up")]
    TooCostly {
        /// The amount that is too much, with the name of the resource.
        resource: String,
    },
    /// The system refused a resource that compiling needs, such as a thread. The component may be
    /// fine.
    #[error(
        "this component could not be compiled, because the system refused a resource: {refusal}"
    )]
    NotCompiled {
        /// The system's error.
        refusal: SystemRefusal,
    },
    /// The compiler's thread ended without a result. This is a bug of the host.
    #[error("the host's WebAssembly compiler ended without a result")]
    CompilerGone,
    /// The file begins like a component, but is not a valid one.
    #[error("this is not a valid component: {reason}")]
    Invalid {
        /// The validator's message.
        reason: String,
    },
    /// The host's compiler panicked. This is a bug of the host; the component is refused.
    #[error("the host's WebAssembly compiler panicked: {message}")]
    CompilerPanicked {
        /// The compiler's message.
        message: String,
    },
    /// The component does not export the operator interface.
    #[error(
        "this component is not an operator: it does not export `{OPERATOR_INTERFACE}` ({}); build \
         it for the world `{OPERATOR_WORLD}`, with SDK {SDK_VERSION}",
        exported(exports)
    )]
    MissingExport {
        /// The names of the component's exports.
        exports: Vec<String>,
    },
    /// The component was built for another version of the contract.
    #[error(
        "this component was built for another version of the contract: it {verb} `{found}`, but \
         this host has `{expected}`; rebuild it with SDK {SDK_VERSION}"
    )]
    OtherVersion {
        /// The direction of the interface.
        verb: Direction,
        /// The interface in the component.
        found: String,
        /// The interface that this host has.
        expected: &'static str,
    },
    /// A function of the operator interface is missing.
    #[error(
        "its export `{OPERATOR_INTERFACE}` has no function `{function}` (it has {}); rebuild the \
         component with SDK {SDK_VERSION}",
        listed_or_none(found)
    )]
    MissingFunction {
        /// The function.
        function: &'static str,
        /// The functions that the interface has.
        found: Vec<String>,
    },
    /// A function of the operator interface does not have the type in the contract.
    #[error(
        "`{function}` of `{OPERATOR_INTERFACE}` has the wrong type: {reason}; \
         rebuild it with SDK {SDK_VERSION}"
    )]
    WrongType {
        /// The function.
        function: &'static str,
        /// The difference.
        reason: String,
    },
    /// The component imports an interface that the job file does not grant.
    #[error(
        "this component has imports that the host does not grant: {}. An operator may import only \
         `{HOST_INTERFACE}`; {}",
        listed(imports),
        without(imports)
    )]
    UngrantedImports {
        /// Every import that is not granted.
        imports: Vec<String>,
    },
    /// The component imports functions that this host does not have.
    #[error(
        "this component imports functions that `{HOST_INTERFACE}` does not have: {}; \
         rebuild it with SDK {SDK_VERSION}",
        listed(functions)
    )]
    UnknownHostFunctions {
        /// The functions.
        functions: Vec<String>,
    },
    /// The component imports the host's interface with types other than those of the contract.
    #[error(
        "this component imports `{HOST_INTERFACE}` with the wrong types: {reason}; \
         rebuild it with SDK {SDK_VERSION}"
    )]
    WrongImport {
        /// The difference.
        reason: String,
    },
}

impl RefusalCause {
    /// Returns the cause behind an error of the engine: the system's refusal, or else the result
    /// of `otherwise`, which gets the whole chain on one line. The chain can hold names from the
    /// component.
    pub(crate) fn of_engine(
        error: &wasmtime::Error,
        otherwise: impl FnOnce(String) -> Self,
    ) -> Self {
        if let Some(refusal) = SystemRefusal::behind(error) {
            return Self::NotCompiled { refusal };
        }
        let reason = bounded(guest_text::MAX_BYTES, format_args!("{error:#}"));
        otherwise(guest_text::one_line(&reason))
    }

    /// Makes the refusal of the file at `path` for this cause.
    pub(crate) fn at(self, path: &str) -> Refusal {
        Refusal {
            path: path.to_owned(),
            cause: self,
        }
    }
}

/// The direction of an interface, seen from the component.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The component imports the interface.
    Imports,
    /// The component exports the interface.
    Exports,
}

impl std::fmt::Display for Direction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Imports => "imports",
            Self::Exports => "exports",
        })
    }
}

fn exported(names: &[String]) -> String {
    if names.is_empty() {
        "it exports nothing".to_owned()
    } else {
        format!("it exports {}", listed(names))
    }
}

fn listed_or_none(names: &[String]) -> String {
    if names.is_empty() {
        "none".to_owned()
    } else {
        listed(names)
    }
}

/// Returns the advice for making a component that does not import these.
fn without(imports: &[String]) -> &'static str {
    if imports.iter().all(|name| name.starts_with("wasi:")) {
        "build it with `tidegate build`, which leaves WASI out"
    } else {
        "remove the code that uses them"
    }
}

/// The number of names that a list shows, and of bytes of each: a component may have a hundred
/// thousand long ones.
const LISTED_NAMES: usize = 64;
const LISTED_NAME_BYTES: usize = 256;

fn listed(names: &[String]) -> String {
    let shown = names.iter().take(LISTED_NAMES);
    let mut quoted: Vec<String> = shown
        .map(|name| format!("`{}`", bounded(LISTED_NAME_BYTES, name)))
        .collect();
    if names.len() > LISTED_NAMES {
        quoted.push(format!("and {} more", names.len() - LISTED_NAMES));
    }
    quoted.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_names_is_bounded_in_their_number_and_length() {
        let few = ["a".to_owned(), "b".to_owned()];
        assert_eq!(listed(&few), "`a`, `b`");
        let many = vec!["x".repeat(10_000); 1_000];
        let shown = listed(&many);
        assert!(shown.ends_with("x…`, and 936 more"), "{shown}");
        assert!(shown.len() < LISTED_NAMES * (LISTED_NAME_BYTES + 8) + 32);
    }
}
