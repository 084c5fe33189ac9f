//! [`Lines`]: progress without a terminal, such as in a log file.

use std::sync::atomic::{AtomicU64, Ordering};

use precip_engine::run::{RunEvent, RunObserver};

use super::{Display, words};
use crate::answers::print_note_line;

/// A line for every tenth of the run, and one for each failure.
#[derive(Debug)]
pub(crate) struct Lines {
    total: u64,
    /// Number of tenths that were shown.
    shown: AtomicU64,
}

impl Lines {
    /// Creates lines for a run of `total` (step, partition) pairs.
    pub(crate) fn new(total: u64) -> Self {
        Self {
            total,
            shown: AtomicU64::new(0),
        }
    }
}

impl Display for Lines {
    fn show_count(&self, done: u64, total: u64) {
        let tenths = (done * 10).checked_div(total).unwrap_or(10);
        // Of threads that finish at the same time, one prints the tenth.
        if self.shown.fetch_max(tenths, Ordering::Relaxed) < tenths {
            print_note_line(&format!("{done} of {total}"));
        }
    }

    fn show_line(&self, text: &str) {
        print_note_line(text);
    }
}

impl RunObserver for Lines {
    fn on_event(&self, event: &RunEvent<'_>) {
        if let Some(line) = words::event_line(event) {
            self.show_line(&line);
        }
        if let RunEvent::Ended { tally, .. } | RunEvent::Withheld { tally, .. } = event {
            self.show_count(tally.total - tally.open_count(), self.total);
        }
    }
}
