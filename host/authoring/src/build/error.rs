//! Why a build did not succeed, and what helps.

use std::io;
use std::path::PathBuf;

use thiserror::Error;
use tidegate_operator::{OPERATOR_INTERFACE, SDK_VERSION, shown};

use crate::language::Language;

/// Why a component was not built.
#[derive(Debug, Error)]
pub enum BuildError {
    /// The path holds no project. Nothing was run.
    #[error(
        "there is no project at `{}`: none of {} is there",
        shown(path),
        Language::manifests()
    )]
    NoManifest {
        /// The path of the request.
        path: PathBuf,
    },
    /// A tool is missing. Nothing was built.
    #[error("{tool} was not found; {install}")]
    NoToolchain {
        /// The tool, and what it is for.
        tool: String,
        /// What to install, with the command.
        install: String,
    },
    /// A program could not be started.
    #[error("`{program}` could not be started; {remedy}")]
    NotStarted {
        /// The program.
        program: String,
        /// Where it comes from.
        remedy: String,
        /// Why.
        source: io::Error,
    },
    /// The project could not be read.
    #[error("`{}` could not be read: {reason}", shown(manifest))]
    Project {
        /// The project.
        manifest: PathBuf,
        /// Why, or what its tool said.
        reason: String,
    },
    /// The project does not compile. The compiler has said why on stderr.
    #[error("`{}` was not built, for the reasons above", shown(manifest))]
    NotCompiled {
        /// The project.
        manifest: PathBuf,
    },
    /// Everything compiled, and nothing of it is a component.
    #[error("`{}` has no component: {remedy}", shown(manifest))]
    NoComponent {
        /// The project.
        manifest: PathBuf,
        /// What makes one.
        remedy: &'static str,
    },
    /// A module without the operator interface.
    #[error("`{name}` exports no operator: {remedy}")]
    NotAnOperator {
        /// The package.
        name: String,
        /// What exports one.
        remedy: &'static str,
    },
    /// An operator by another version of the interface.
    #[error(
        "`{name}` exports `{found}`, and not the `{OPERATOR_INTERFACE}` of this tidegate: \
         rebuild it with SDK {SDK_VERSION}"
    )]
    OtherVersion {
        /// The package.
        name: String,
        /// The interface that it exports.
        found: String,
    },
    /// An operator without some functions of the interface.
    #[error(
        "the operator of `{name}` has no {}: rebuild it with SDK {SDK_VERSION}",
        functions.join(", ")
    )]
    MissingFunctions {
        /// The package.
        name: String,
        /// The functions.
        functions: Vec<String>,
    },
    /// A component that wants what no operator is given.
    #[error(
        "`{name}` imports what an operator is not given: {}; remove what uses it",
        imports.join(", ")
    )]
    UngrantedImports {
        /// The package.
        name: String,
        /// The imports, by interface name.
        imports: Vec<String>,
    },
    /// A module that can't become a component.
    #[error("`{name}` can't become a component: {reason}")]
    NotAComponent {
        /// The package.
        name: String,
        /// What the encoder says.
        reason: String,
    },
    /// One file name for several components. Nothing was written.
    #[error(
        "`{}` is one file, and there are {components} components; name a directory",
        shown(out)
    )]
    OneFileForMany {
        /// The file.
        out: PathBuf,
        /// How many components there are.
        components: usize,
    },
    /// One file name for two components. Nothing was written.
    #[error(
        "two components are named `{name}`; they do not fit in `{}` both",
        shown(out)
    )]
    SameName {
        /// Their name.
        name: String,
        /// The directory.
        out: PathBuf,
    },
    /// A file could not be read.
    #[error("`{}` could not be read", shown(path))]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file could not be written. A component that was there before is still whole.
    #[error("`{}` could not be written", shown(path))]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}
