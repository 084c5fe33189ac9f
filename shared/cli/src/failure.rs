//! [`Failure`]: a failed command, as a message to a person.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use precip_core::{partitions::UnknownPartition, selection::InvalidSelection};
use precip_engine::{
    state::{StateError, StateErrorKind},
    trigger::TriggerError,
};

use crate::{
    exit::Exit,
    output::{clean_line, clean_text},
};

/// A failed command: what was wrong, where, and what to write or do instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The exit code.
    pub exit: Exit,
    /// The problem, in one line.
    pub message: String,
    /// Further lines, such as the faulty text with the fault underlined.
    pub detail: Vec<String>,
    /// The advice: what to write or do instead.
    pub help: Option<String>,
}

impl Failure {
    /// Creates a failure with only a message.
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self {
            exit,
            message: message.into(),
            detail: Vec::new(),
            help: None,
        }
    }

    /// Creates a failure of the command line: it names something that does not exist, or is invalid.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// Creates a failure of the machine or the account.
    pub fn environment(message: impl Into<String>) -> Self {
        Self::new(Exit::Environment, message)
    }

    /// Adds the advice: what to write or do instead.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds further lines.
    #[must_use]
    pub fn with_detail(mut self, text: &str) -> Self {
        self.detail.extend(text.lines().map(str::to_owned));
        self
    }

    /// Writes the failure for a person, without control characters of its texts.
    ///
    /// # Errors
    /// When the stream is closed.
    pub fn write_to(&self, to: &mut impl Write) -> io::Result<()> {
        let red = Style::new().bold().fg_color(Some(AnsiColor::Red.into()));
        let green = Style::new().bold().fg_color(Some(AnsiColor::Green.into()));
        writeln!(to, "{red}error{red:#}: {}", clean_text(&self.message))?;
        for line in &self.detail {
            writeln!(to, "  {}", clean_line(line))?;
        }
        if let Some(help) = &self.help {
            writeln!(to, "{green}help{green:#}: {}", clean_text(help))?;
        }
        Ok(())
    }
}

impl From<TriggerError> for Failure {
    fn from(error: TriggerError) -> Self {
        match error {
            TriggerError::State(error) => error.into(),
            TriggerError::Invalid(error) => Self::new(Exit::Definitions, error.to_string()),
            error => Self::environment(error.to_string()).with_detail(&cause_lines(&error)),
        }
    }
}

impl From<InvalidSelection> for Failure {
    fn from(error: InvalidSelection) -> Self {
        Self {
            help: error.help(),
            ..Self::usage(error.message()).with_detail(&underline_fault(&error))
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
        Self::new(exit, error.to_string()).with_detail(&cause_lines(&error))
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        // The reader has seen enough, as `head` has: that is not an error.
        let exit = match error.kind() {
            io::ErrorKind::BrokenPipe => Exit::Done,
            _ => Exit::Environment,
        };
        Self::new(exit, format!("failed to write the output: {error}"))
    }
}

/// Returns the selection with the fault underlined. The message and the help are shown separately.
fn underline_fault(error: &InvalidSelection) -> String {
    let marked = error.to_underlined_text();
    // The line of `^` ends with the message, which is cut off.
    let lines = marked.lines().map(|line| match line.rfind('^') {
        Some(last) if line.trim_start().starts_with('^') => &line[..=last],
        _ => line,
    });
    lines.take(2).collect::<Vec<_>>().join("\n")
}

/// Returns the causes of an error, one a line.
pub(crate) fn cause_lines(error: &dyn std::error::Error) -> String {
    std::iter::successors(error.source(), |cause| cause.source())
        .map(|cause| format!("caused by: {cause}\n"))
        .collect()
}
