//! Why a build did not succeed, and what helps.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// Why a component was not built.
#[derive(Debug, Error)]
pub enum BuildError {
    /// The path holds no crate. Nothing was run.
    #[error("there is no Cargo.toml at `{}`", path.display())]
    NoManifest {
        /// The path of the request.
        path: PathBuf,
    },
    /// No compiler for the guest target. Nothing was built.
    #[error("no Rust compiler for WebAssembly was found; {install}")]
    NoToolchain {
        /// What to install, with the command.
        install: String,
    },
    /// A program could not be started.
    #[error("`{program}` could not be started; it comes with Rust, from https://rustup.rs")]
    NotStarted {
        /// The program.
        program: String,
        /// Why.
        source: io::Error,
    },
    /// Cargo could not read the project. It has said why on stderr.
    #[error("cargo could not read `{}`: {reason}", manifest.display())]
    Project {
        /// The project.
        manifest: PathBuf,
        /// What cargo said.
        reason: String,
    },
    /// The crate does not compile. The compiler has said why on stderr.
    #[error("`{}` was not built, for the reasons above", manifest.display())]
    NotCompiled {
        /// The crate or workspace.
        manifest: PathBuf,
    },
    /// Everything compiled, and nothing of it is a component.
    #[error(
        "`{}` has no component: an operator's Cargo.toml says `crate-type = [\"cdylib\"]` \
         under `[lib]`",
        manifest.display()
    )]
    NoComponent {
        /// The crate or workspace.
        manifest: PathBuf,
    },
    /// A module without the operator interface.
    #[error("crate `{crate_name}` exports no operator: call `export_operator!` at its top level")]
    NotAnOperator {
        /// The crate.
        crate_name: String,
    },
    /// A module that can't become a component.
    #[error("crate `{crate_name}` can't become a component: {reason}")]
    NotAComponent {
        /// The crate.
        crate_name: String,
        /// What the encoder says.
        reason: String,
    },
    /// One file name for several components. Nothing was written.
    #[error(
        "`{}` is one file, and there are {components} components; name a directory",
        out.display()
    )]
    OneFileForMany {
        /// The file.
        out: PathBuf,
        /// How many components there are.
        components: usize,
    },
    /// A file could not be read.
    #[error("`{}` could not be read", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file could not be written. A component that was there before is still whole.
    #[error("`{}` could not be written", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}
