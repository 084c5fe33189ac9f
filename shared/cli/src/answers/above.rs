//! [`Above`]: the progress above which lines are shown.

use std::sync::{Mutex, PoisonError};

use indicatif::{MultiProgress, ProgressBar};

/// The progress above which lines are shown, if there is any.
static ABOVE: Mutex<Option<Above>> = Mutex::new(None);

/// Progress on a terminal.
#[derive(Debug, Clone)]
pub(crate) enum Above {
    /// One bar.
    Bar(ProgressBar),
    /// Several bars.
    All(MultiProgress),
}

/// Shows lines above some progress from now on, or by themselves.
pub(crate) fn show_above(progress: Option<Above>) {
    *ABOVE.lock().unwrap_or_else(PoisonError::into_inner) = progress;
}

/// Shows a line, above the progress if there is any.
#[cfg(unix)]
pub(super) fn show_line(line: &[u8]) {
    let line = String::from_utf8_lossy(line);
    // Held while the line is shown, so that the progress is not removed in between.
    let above = ABOVE.lock().unwrap_or_else(PoisonError::into_inner);
    match &*above {
        Some(Above::Bar(bar)) if !bar.is_finished() => bar.println(&line),
        // Fails when the terminal is closed, and then there is no reader.
        Some(Above::All(all)) => all.println(&line).unwrap_or_default(),
        _ => super::print_note_line(&line),
    }
}
