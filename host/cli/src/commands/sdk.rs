//! `tidegate sdk`: the SDK in a project.

use tidegate_authoring::project;

use crate::args::SdkCommand;
use crate::failure::Failure;
use crate::terminal::Terminal;

/// Carries out one of the commands.
pub(crate) fn sdk(command: &SdkCommand, terminal: &Terminal) -> Result<(), Failure> {
    match command {
        SdkCommand::Update(args) => {
            let updated = project::update_sdk(&args.path, args.discard_changes)?;
            terminal.say(format_args!(
                "replaced the SDK {} by {}",
                updated.before.escape_debug(),
                updated.now
            ));
            Ok(())
        }
    }
}
