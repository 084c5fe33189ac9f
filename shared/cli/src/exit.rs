//! Exit codes: what the command's end means to a script.

use std::process::ExitCode;

/// How a command ended. The numbers are part of the interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Everything asked for was done.
    Done = 0,
    /// A run failed or was stopped, or a check did not pass.
    RunFailed = 1,
    /// The command line asks for something that is not there or makes no sense.
    Usage = 2,
    /// The project's definitions are wrong.
    Definitions = 3,
    /// The machine or the account: a folder, a credential, a variable, a network, a full disk.
    Environment = 4,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
