//! [`Failure`]: a failed command, as a message to a person.

use std::{
    fmt,
    io::{self, Write},
    process::ExitCode,
};

use anstyle::{AnsiColor, Style};

/// The exit codes of a project's commands, as far as the launcher has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// The command line is wrong: a name that is invalid, taken or unknown.
    Usage = 2,
    /// The machine has a problem: a folder, a missing program.
    Environment = 4,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// A failed command: what was wrong, where, and what to write or do instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    /// The exit code.
    pub(crate) exit: Exit,
    /// The problem, in one line.
    pub(crate) message: String,
    /// The advice: what to write or do instead.
    pub(crate) help: Option<String>,
}

impl Failure {
    /// Creates a failure of the command line.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self {
            exit: Exit::Usage,
            message: message.into(),
            help: None,
        }
    }

    /// Creates a failure of the machine.
    pub(crate) fn environment(message: impl Into<String>) -> Self {
        Self {
            exit: Exit::Environment,
            ..Self::usage(message)
        }
    }

    /// Creates a failure of a call to the operating system; `action` is what failed.
    pub(crate) fn io(action: impl fmt::Display, error: &io::Error) -> Self {
        Self::environment(format!("failed to {action}: {error}"))
    }

    /// Adds the advice: what to write or do instead.
    #[must_use]
    pub(crate) fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Writes the failure for a person.
    ///
    /// # Errors
    /// When the stream is closed.
    pub(crate) fn write_to(&self, to: &mut impl Write) -> io::Result<()> {
        let red = Style::new().bold().fg_color(Some(AnsiColor::Red.into()));
        let green = Style::new().bold().fg_color(Some(AnsiColor::Green.into()));
        writeln!(to, "{red}error{red:#}: {}", self.message)?;
        if let Some(help) = &self.help {
            writeln!(to, "{green}help{green:#}: {help}")?;
        }
        Ok(())
    }
}
