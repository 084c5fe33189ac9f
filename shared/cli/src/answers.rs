//! The stream of a command's answer, apart from what the project's own code prints.
//!
//! An asset's `println!`, and what a program prints that it starts, must neither break an answer, which
//! may be JSON on a pipe, nor the progress on a terminal. So the answer keeps the process's stdout, and
//! everything else that is written there goes to stderr: directly, or above the progress.

mod above;
#[cfg(unix)]
mod capture;

use std::{
    fs::File,
    io::{self, IsTerminal, LineWriter, Write},
    sync::OnceLock,
};

pub(crate) use above::{Above, show_above};

use crate::output::CleanWriter;

/// The process's own stdout, once it is separated from what is printed.
static ANSWERS: OnceLock<Answers> = OnceLock::new();

struct Answers {
    stream: File,
    terminal: bool,
}

/// A command's answer, kept apart from what functions print until the command ends.
#[must_use]
#[derive(Default)]
pub(crate) struct Separated {
    #[cfg(unix)]
    capture: Option<capture::Capture>,
}

/// Separates answers from what is printed, before any code of the project runs. Where it cannot be done,
/// the two stay together.
#[cfg(unix)]
pub(crate) fn separate_answers(shows_progress: bool) -> Separated {
    use std::os::fd::AsFd;

    let (stdout, stderr) = (io::stdout(), io::stderr());
    let terminal = stdout.is_terminal();
    let captures = shows_progress && stderr.is_terminal();
    // On a terminal without progress, nothing gets in the way of what is printed.
    if !captures && terminal {
        return Separated::default();
    }
    let Ok(stream) = stdout.as_fd().try_clone_to_owned().map(File::from) else {
        return Separated::default();
    };
    let capture = if captures {
        capture::Capture::start().ok()
    } else {
        // Stays so until the process ends: what is still buffered then is not part of the answer.
        rustix::stdio::dup2_stdout(stderr.as_fd()).ok();
        None
    };
    ANSWERS.get_or_init(|| Answers { stream, terminal });
    Separated { capture }
}

/// Leaves answers and what is printed together, on systems without descriptors.
#[cfg(not(unix))]
pub(crate) fn separate_answers(_: bool) -> Separated {
    Separated::default()
}

impl Separated {
    /// Waits until everything that was printed is shown.
    pub(crate) fn show_rest(self) {
        #[cfg(unix)]
        if let Some(capture) = self.capture {
            capture.show_rest();
        }
    }
}

/// Opens the stream of answers. On a terminal even data is made harmless: a terminal is no program that reads it.
pub(crate) fn open_answers() -> Box<dyn Write> {
    let own = ANSWERS.get().and_then(|own| own.stream.try_clone().ok());
    let stream: Box<dyn Write> = match own {
        Some(stream) => Box::new(LineWriter::new(stream)),
        None => Box::new(io::stdout()),
    };
    if is_terminal() {
        Box::new(CleanWriter::new(stream))
    } else {
        stream
    }
}

/// Returns `true` if a person reads the answers on a terminal.
pub(crate) fn is_terminal() -> bool {
    let own = ANSWERS.get().map(|own| own.terminal);
    own.unwrap_or_else(|| io::stdout().is_terminal())
}

/// Writes a line to the answers, in one piece.
///
/// # Errors
/// When the reader is gone, or the line cannot be written.
pub(crate) fn print_answer_line(line: &str) -> io::Result<()> {
    write_line(&mut open_answers(), line)
}

/// Writes a line that the project's own code printed to stderr as it is, in one piece: what functions print at the
/// same time does not end up within it. Does nothing when it cannot be written.
#[cfg(unix)]
fn print_note_line(line: &str) {
    let _ = write_line(&mut io::stderr(), line);
}

fn write_line(to: &mut dyn Write, line: &str) -> io::Result<()> {
    to.write_all(format!("{line}\n").as_bytes())?;
    to.flush()
}
