//! `completions`: a completion script for a shell.

use std::{ffi::OsStr, io::Write, path::Path};

use clap::CommandFactory;
use clap_complete::Shell;

use crate::{args::Root, exit::Exit, failure::Failure};

/// Writes a shell's completion script for this program.
///
/// # Errors
/// [`Failure`] when the script cannot be written.
pub(crate) fn write_completions(shell: Shell, out: &mut dyn Write) -> Result<Exit, Failure> {
    let program = std::env::args_os().next();
    write_script(shell, program.as_deref(), out)
}

/// Writes the script for a program that was started as `program`.
fn write_script(
    shell: Shell,
    program: Option<&OsStr>,
    out: &mut dyn Write,
) -> Result<Exit, Failure> {
    let name = program
        .and_then(|path| Path::new(path).file_stem())
        .map_or("precip".into(), OsStr::to_string_lossy);
    // The generator panics when writing fails, as to a closed pipe: it writes to a buffer.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Root::command(), name, &mut script);
    out.write_all(&script)?;
    out.flush()?;
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    struct ClosedPipe;

    impl Write for ClosedPipe {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn every_shell_completes_the_commands_of_this_program() {
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish, Shell::PowerShell] {
            let mut script = Vec::new();
            let program = OsStr::new("/usr/local/bin/flights");
            write_script(shell, Some(program), &mut script).unwrap();
            let script = String::from_utf8(script).unwrap();
            for word in ["flights", "materialize", "partition-range-start"] {
                assert!(script.contains(word), "{shell}: no `{word}`");
            }
        }
    }

    #[test]
    fn a_reader_that_has_seen_enough_is_no_failure() {
        let failure = write_script(Shell::Fish, None, &mut ClosedPipe).unwrap_err();
        assert_eq!(failure.exit, Exit::Done);
    }
}
