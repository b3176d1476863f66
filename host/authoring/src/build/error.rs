//! The reasons why a build did not succeed, each with a remedy.

use std::io;
use std::path::PathBuf;

use thiserror::Error;
use tidegate_operator::{OPERATOR_INTERFACE, SDK_VERSION, shown};

use crate::language::Language;

/// The reason why a component was not built.
#[derive(Debug, Error)]
pub enum BuildError {
    /// There is no project at the path. Nothing was run.
    #[error(
        "there is no project at `{}`: expected one of {}",
        shown(path),
        Language::manifests()
    )]
    NoManifest {
        /// The path of the request.
        path: PathBuf,
    },
    /// A tool is missing. Nothing was built.
    #[error(
        "{tool} was not found; run `tidegate doctor {} --fix`, which installs it or names the \
         command that does",
        language.name()
    )]
    NoToolchain {
        /// The language that needs the tool.
        language: Language,
        /// The tool and its purpose.
        tool: String,
    },
    /// The project has a tool of a version that makes other components. Nothing was built.
    #[error("the project has {tool} {found}, and needs {wanted}; {remedy}")]
    OtherTool {
        /// The tool.
        tool: String,
        /// The version that this tidegate needs.
        wanted: String,
        /// The version of the project's tool.
        found: String,
        /// The command that replaces it.
        remedy: String,
    },
    /// The SDK of the project is missing. Nothing was built.
    #[error("{sdk} was not found; {remedy}")]
    NoSdk {
        /// The SDK.
        sdk: String,
        /// The change that names it.
        remedy: &'static str,
    },
    /// A program could not be started.
    #[error("`{program}` could not be started; {remedy}")]
    NotStarted {
        /// The program.
        program: String,
        /// How to install or repair it.
        remedy: String,
        /// The error of the system.
        source: io::Error,
    },
    /// The project could not be read.
    #[error("`{}` could not be read: {reason}", shown(manifest))]
    Project {
        /// The project.
        manifest: PathBuf,
        /// The reason, or the output of its tool.
        reason: String,
    },
    /// The project does not compile. The compiler has written its errors to stderr.
    #[error("`{}` was not built: see the errors above", shown(manifest))]
    NotCompiled {
        /// The project.
        manifest: PathBuf,
    },
    /// Everything compiled, but there is no component among the results.
    #[error("`{}` has no component: {remedy}", shown(manifest))]
    NoComponent {
        /// The project.
        manifest: PathBuf,
        /// The change that produces a component.
        remedy: &'static str,
    },
    /// The module lacks the operator interface.
    #[error("`{name}` exports no operator: {remedy}")]
    NotAnOperator {
        /// The package.
        name: String,
        /// The change that exports an operator.
        remedy: &'static str,
    },
    /// The operator has another version of the interface.
    #[error(
        "`{name}` exports `{found}`, but this tidegate needs `{OPERATOR_INTERFACE}`: rebuild it \
         with SDK {SDK_VERSION}"
    )]
    OtherVersion {
        /// The package.
        name: String,
        /// The exported interface.
        found: String,
    },
    /// The operator lacks some functions of the interface.
    #[error(
        "the operator of `{name}` has no {}: rebuild it with SDK {SDK_VERSION}",
        functions.join(", ")
    )]
    MissingFunctions {
        /// The package.
        name: String,
        /// The missing functions.
        functions: Vec<String>,
    },
    /// The component imports interfaces that no operator is given.
    #[error(
        "`{name}` has imports that the host does not grant: {}; remove the code that uses them",
        imports.join(", ")
    )]
    UngrantedImports {
        /// The package.
        name: String,
        /// The imports by interface name.
        imports: Vec<String>,
    },
    /// The module can't become a component.
    #[error("`{name}` can't become a component: {reason}")]
    NotAComponent {
        /// The package.
        name: String,
        /// The encoder's message.
        reason: String,
    },
    /// `out` names one file for several components. Nothing was written.
    #[error(
        "`{}` is one file for {components} components; name a directory",
        shown(out)
    )]
    OneFileForMany {
        /// The file.
        out: PathBuf,
        /// The number of components.
        components: usize,
    },
    /// Two components have the same file name. Nothing was written.
    #[error(
        "two components are named `{name}`, so `{}` can't hold both; rename one of them",
        shown(out)
    )]
    SameName {
        /// Their name.
        name: String,
        /// The directory.
        out: PathBuf,
    },
    /// The project in a component's folder builds others. These were written.
    #[error(
        "the project `{}` builds {}, not `{}`: name the component that it builds",
        shown(manifest),
        built.iter().map(|path| format!("`{}`", shown(path))).collect::<Vec<_>>().join(", "),
        shown(component)
    )]
    OtherComponents {
        /// The project.
        manifest: PathBuf,
        /// The component that was to be built.
        component: PathBuf,
        /// The components that the project builds.
        built: Vec<PathBuf>,
    },
    /// A file could not be read.
    #[error("`{}` could not be read", shown(path))]
    Read {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// A file could not be written. A component that was there before is still whole.
    #[error("`{}` could not be written", shown(path))]
    Write {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
}
