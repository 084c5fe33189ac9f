//! [`Bar`]: progress on a terminal.

use std::fmt::Write;

use indicatif::{MultiProgress, ProgressBar, ProgressState, ProgressStyle};
use precip_engine::run::{RunEvent, RunObserver};

use super::{Display, words};

/// A bar with counts, rate and time left; failures stand above it.
#[derive(Debug)]
pub struct Bar(ProgressBar);

impl Bar {
    /// A bar for so many (step, partition) pairs.
    pub fn new(total: u64) -> Self {
        Self::styled(ProgressBar::new(total))
    }

    /// The same among others.
    pub fn among(others: &MultiProgress, total: u64) -> Self {
        Self::styled(others.add(ProgressBar::new(total)))
    }

    fn styled(bar: ProgressBar) -> Self {
        let style = ProgressStyle::with_template(
            "{bar:32.green} {pos}/{len}  {rate}  {eta} left  {wide_msg:.dim}",
        );
        if let Ok(style) = style {
            bar.set_style(style.with_key("rate", rate));
        }
        Self(bar)
    }
}

/// How many pairs a second: in whole numbers once it is that fast.
fn rate(state: &ProgressState, to: &mut dyn Write) {
    let rate = state.per_sec();
    // The bar has no way to tell that it could not be written.
    let _ = if rate < 10.0 {
        write!(to, "{rate:.1}/s")
    } else {
        write!(to, "{rate:.0}/s")
    };
}

impl RunObserver for Bar {
    fn observe(&self, event: &RunEvent<'_>) {
        match event {
            RunEvent::Started { step, .. } => self.0.set_message(words::name(step).to_owned()),
            RunEvent::Ended { tally, .. } | RunEvent::Held { tally, .. } => {
                self.count(tally.total - tally.left(), tally.total);
            }
            RunEvent::Retrying { .. } => {}
        }
        if let Some(line) = words::line(event) {
            self.line(&line);
        }
    }
}

impl Display for Bar {
    fn count(&self, done: u64, total: u64) {
        self.0.set_length(total);
        self.0.set_position(done);
    }

    fn line(&self, text: &str) {
        self.0.println(text);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
