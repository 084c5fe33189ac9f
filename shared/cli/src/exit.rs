//! [`Exit`]: exit codes.

use std::process::ExitCode;

/// The exit code of a command. The numbers are part of the interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Everything that was requested is done.
    Done = 0,
    /// A run failed or was stopped, or a check did not pass.
    RunFailed = 1,
    /// The command line names something that does not exist, or is invalid.
    Usage = 2,
    /// The project's definitions are wrong.
    Definitions = 3,
    /// The machine or the account has a problem: a folder, a credential, a variable, the network.
    Environment = 4,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
