//! [`Lines`]: progress where nobody sees a bar, such as in a log file.

use std::sync::atomic::{AtomicU64, Ordering};

use precip_engine::run::{RunEvent, RunObserver};

use super::{Display, words};

/// A line for every tenth of the way, and one for each failure.
#[derive(Debug)]
pub struct Lines {
    total: u64,
    /// Tenths that were told.
    told: AtomicU64,
}

impl Lines {
    /// Lines for so many (step, partition) pairs.
    pub fn new(total: u64) -> Self {
        Self {
            total,
            told: AtomicU64::new(0),
        }
    }
}

impl Display for Lines {
    fn count(&self, done: u64, total: u64) {
        let tenths = (done * 10).checked_div(total).unwrap_or(10);
        if self.told.fetch_max(tenths, Ordering::Relaxed) < tenths {
            write(&format!("{done} of {total}"));
        }
    }

    fn line(&self, text: &str) {
        write(text);
    }
}

impl RunObserver for Lines {
    fn observe(&self, event: &RunEvent<'_>) {
        if let Some(line) = words::line(event) {
            self.line(&line);
        }
        if let RunEvent::Ended { tally, .. } | RunEvent::Held { tally, .. } = event {
            self.count(tally.total - tally.left(), self.total);
        }
    }
}

#[expect(clippy::print_stderr, reason = "this is where progress goes")]
fn write(line: &str) {
    eprintln!("{line}");
}
