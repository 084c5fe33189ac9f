//! [`Failure`]: a command that could not do what it was asked, in words.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use precip_core::{partitions::UnknownPartition, selection::InvalidSelection};
use precip_engine::{
    state::{StateError, StateErrorKind},
    trigger::TriggerError,
};

use crate::exit::Exit;

/// What a command could not do: what was wrong, where, and what to write or do instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What the end means to a script.
    pub exit: Exit,
    /// What was wrong.
    pub message: String,
    /// Where: the text that was wrong with the place underlined, or further lines.
    pub detail: Vec<String>,
    /// What to write or do instead.
    pub help: Option<String>,
}

impl Failure {
    /// A failure with nothing but a message.
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self {
            exit,
            message: message.into(),
            detail: Vec::new(),
            help: None,
        }
    }

    /// The command line asks for something that is not there or makes no sense.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// The machine or the account does not let it happen.
    pub fn environment(message: impl Into<String>) -> Self {
        Self::new(Exit::Environment, message)
    }

    /// Adds what to write or do instead.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds further lines.
    #[must_use]
    pub fn detail(mut self, text: &str) -> Self {
        self.detail.extend(text.lines().map(str::to_owned));
        self
    }

    /// Writes the failure for a person.
    ///
    /// # Errors
    /// When the stream is closed.
    pub fn write(&self, to: &mut impl Write) -> io::Result<()> {
        let red = Style::new().bold().fg_color(Some(AnsiColor::Red.into()));
        let green = Style::new().bold().fg_color(Some(AnsiColor::Green.into()));
        writeln!(to, "{red}error{red:#}: {}", self.message)?;
        for line in &self.detail {
            writeln!(to, "  {line}")?;
        }
        if let Some(help) = &self.help {
            writeln!(to, "{green}help{green:#}: {help}")?;
        }
        Ok(())
    }
}

impl From<TriggerError> for Failure {
    fn from(error: TriggerError) -> Self {
        match error {
            TriggerError::State(error) => error.into(),
            TriggerError::Invalid(error) => Self::new(Exit::Definitions, error.to_string()),
            error => Self::environment(error.to_string()).detail(&causes(&error)),
        }
    }
}

impl From<InvalidSelection> for Failure {
    fn from(error: InvalidSelection) -> Self {
        Self {
            help: error.help(),
            ..Self::usage(error.message()).detail(&underlined(&error))
        }
    }
}

impl From<UnknownPartition> for Failure {
    fn from(error: UnknownPartition) -> Self {
        Self::usage(error.to_string())
    }
}

impl From<StateError> for Failure {
    fn from(error: StateError) -> Self {
        let exit = match error.kind() {
            StateErrorKind::NotFound | StateErrorKind::Conflict => Exit::Usage,
            _ => Exit::Environment,
        };
        let causes = causes(&error);
        Self::new(exit, error.to_string()).detail(&causes)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        // Nobody reads on, as `head` does when it has enough: that is no failure.
        let exit = match error.kind() {
            io::ErrorKind::BrokenPipe => Exit::Done,
            _ => Exit::Environment,
        };
        Self::new(exit, format!("failed to write the answer: {error}"))
    }
}

/// The text with the place marked below it. What is wrong there and what to write instead are told
/// apart from it.
fn underlined(error: &InvalidSelection) -> String {
    let marked = error.underlined();
    let lines = marked.lines().map(|line| match line.rfind('^') {
        Some(last) if line.trim_start().starts_with('^') => &line[..=last],
        _ => line,
    });
    lines.take(2).collect::<Vec<_>>().join("\n")
}

/// What led to an error, a line each.
pub(crate) fn causes(error: &dyn std::error::Error) -> String {
    std::iter::successors(error.source(), |cause| cause.source())
        .map(|cause| format!("caused by: {cause}\n"))
        .collect()
}
