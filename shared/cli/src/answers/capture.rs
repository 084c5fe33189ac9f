//! [`Capture`]: showing what is printed above the progress of a terminal.

use std::{
    io::{self, PipeReader, PipeWriter, Read, Write},
    sync::mpsc::{Receiver, Sender, channel},
    thread,
};

use super::above::show_line;

/// The end of what is shown, at the end of a line. It is written after everything that was printed.
const END: &[u8] = b"\0end of what is printed\0";
/// The length at which a line is shown before it ends.
const LONGEST_LINE: usize = 64 * 1024;

/// A thread that shows what is written to stdout.
pub(super) struct Capture {
    stdout: PipeWriter,
    ended: Receiver<()>,
}

impl Capture {
    /// Replaces the process's stdout by a pipe, and starts to show what arrives there.
    pub(super) fn start() -> io::Result<Self> {
        let (reader, stdout) = io::pipe()?;
        let (end, ended) = channel();
        thread::Builder::new()
            .name("printed".to_owned())
            .spawn(move || show_lines(reader, &end))?;
        rustix::stdio::dup2_stdout(&stdout)?;
        Ok(Self { stdout, ended })
    }

    /// Shows what was printed so far, and lets the rest go to stderr. Programs that were started may
    /// hold the pipe open, so its end is a line of its own.
    pub(super) fn show_rest(mut self) {
        let _ = rustix::stdio::dup2_stdout(io::stderr());
        let end = [END, b"\n"].concat();
        if self.stdout.write_all(&end).is_ok() {
            // Fails when the thread is gone, and then there is nothing to wait for.
            let _ = self.ended.recv();
        }
    }
}

fn show_lines(mut printed: PipeReader, end: &Sender<()>) {
    let mut lines = Lines::default();
    let mut buffer = [0; 8 * 1024];
    // A pipe that cannot be read is as good as ended.
    while let Ok(count @ 1..) = printed.read(&mut buffer) {
        if lines.add_bytes(&buffer[..count], show_line) {
            break;
        }
    }
    // The command may have stopped waiting.
    let _ = end.send(());
}

/// The lines of a stream of bytes.
#[derive(Default)]
struct Lines {
    /// The beginning of a line.
    begun: Vec<u8>,
}

impl Lines {
    /// Adds bytes, and shows the lines that are complete. Returns `true` after the last line.
    fn add_bytes(&mut self, bytes: &[u8], mut show: impl FnMut(&[u8])) -> bool {
        for byte in bytes {
            if *byte != b'\n' {
                self.begun.push(*byte);
                if self.begun.len() < LONGEST_LINE {
                    continue;
                }
            } else if let Some(rest) = self.begun.strip_suffix(END) {
                // A line that was begun and not ended.
                if !rest.is_empty() {
                    show(rest);
                }
                return true;
            }
            show(&self.begun);
            self.begun.clear();
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the lines that are shown when bytes arrive in pieces of a length, and whether the end came.
    fn lines_of(bytes: &[u8], piece: usize) -> (Vec<String>, bool) {
        let (mut lines, mut shown, mut ended) = (Lines::default(), Vec::new(), false);
        for piece in bytes.chunks(piece) {
            ended |= lines.add_bytes(piece, |line| {
                shown.push(String::from_utf8_lossy(line).into_owned());
            });
        }
        (shown, ended)
    }

    #[test]
    fn lines_are_shown_whole_in_any_pieces() {
        let end = [END, b"\n"].concat();
        for piece in [1, 2, 7, 1000] {
            let printed = [b"one\n\ntwo\n".as_slice(), &end].concat();
            let expected = ["one", "", "two"].map(str::to_owned).to_vec();
            assert_eq!(lines_of(&printed, piece), (expected, true));
            let begun = [b"one\nbegun".as_slice(), &end].concat();
            let expected = ["one", "begun"].map(str::to_owned).to_vec();
            assert_eq!(lines_of(&begun, piece), (expected, true));
        }
        // A line without end is not collected without limit.
        let (shown, ended) = lines_of(&vec![b'x'; 3 * LONGEST_LINE], 1000);
        assert_eq!((shown.len(), ended), (3, false));
    }
}
