//! Notes, progress and errors on stderr.

use std::{
    io::{self, Write},
    sync::atomic::{AtomicBool, Ordering},
};

use super::clean_text;

/// `true` once a line could not be written, other than to a reader that has left.
static FAILED: AtomicBool = AtomicBool::new(false);
/// `true` once the reader has left.
static CLOSED: AtomicBool = AtomicBool::new(false);

/// Prints lines to stderr, made harmless for terminals.
///
/// A failure to write stops no command, since its work is worth more than its notes. [`has_failed`] remembers it.
pub(crate) fn print_stderr(text: &str) {
    // In one piece: what functions print at the same time does not end up within it.
    let line = format!("{}\n", clean_text(text));
    note_failure(io::stderr().lock().write_all(line.as_bytes()));
}

/// Remembers a failure to write to stderr.
pub(crate) fn note_failure(written: io::Result<()>) {
    match written {
        // The reader has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
            CLOSED.store(true, Ordering::Relaxed);
        }
        Err(_) => FAILED.store(true, Ordering::Relaxed),
        Ok(()) => {}
    }
}

/// Prints panics to stderr, made harmless for terminals: their messages may be from outside.
pub(crate) fn clean_panics() {
    std::panic::set_hook(Box::new(|info| {
        let thread = std::thread::current();
        let name = thread.name().unwrap_or("<unnamed>");
        print_stderr(&format!("thread '{name}' {info}"));
        // Captured only if `RUST_BACKTRACE` asks for it.
        let backtrace = std::backtrace::Backtrace::capture();
        if backtrace.status() == std::backtrace::BacktraceStatus::Captured {
            print_stderr(&backtrace.to_string());
        }
    }));
}

/// Returns `true` if the reader of stderr has left.
pub(crate) fn is_closed() -> bool {
    CLOSED.load(Ordering::Relaxed)
}

/// Returns `true` if a note is lost, as on a full disk.
pub(crate) fn has_failed() -> bool {
    FAILED.load(Ordering::Relaxed)
}
