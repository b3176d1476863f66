//! The commands for files that are installed beside the binary: completions and man pages.

use std::path::PathBuf;

use clap::Args;
use clap_complete::Shell;

/// Print a completion script for a shell.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  source <(tidegate completions bash)")]
pub(crate) struct CompletionsArgs {
    /// Shell that reads the script.
    #[arg(value_enum)]
    pub(crate) shell: Shell,
}

/// Write the man pages of all commands into a directory, and print their paths.
///
/// Every package contains the pages; an installation by `cargo install` does not. `man` searches
/// ~/.local/share/man if ~/.local/bin is on the PATH.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  tidegate man ~/.local/share/man/man1 && man tidegate-run")]
pub(crate) struct ManArgs {
    /// Directory that receives the pages; created if missing. Overwrites older pages.
    #[arg(value_name = "DIR")]
    pub(crate) directory: PathBuf,
}
