//! [`Bar`]: progress on a terminal.

use std::fmt::Write;

use indicatif::{MultiProgress, ProgressBar, ProgressState, ProgressStyle};
use precip_engine::run::{RunEvent, RunObserver};

use super::{Display, words};
use crate::answers::{Above, show_above};

/// A bar with counts, rate and time left, and failures above it.
#[derive(Debug)]
pub(crate) struct Bar(ProgressBar);

impl Bar {
    /// Creates a bar for `total` (step, partition) pairs.
    pub(crate) fn new(total: u64) -> Self {
        let bar = Self::with_style(ProgressBar::new(total));
        show_above(Some(Above::Bar(bar.0.clone())));
        bar
    }

    /// Creates a bar below the other bars of a terminal.
    pub(crate) fn new_among(others: &MultiProgress, total: u64) -> Self {
        Self::with_style(others.add(ProgressBar::new(total)))
    }

    fn with_style(bar: ProgressBar) -> Self {
        let style = ProgressStyle::with_template(
            "{bar:32.green} {pos}/{len}  {rate}  {eta} left  {wide_msg:.dim}",
        );
        if let Ok(style) = style {
            bar.set_style(style.with_key("rate", write_rate));
        }
        Self(bar)
    }
}

/// Writes the pairs finished in a second: a whole number from 10 on.
fn write_rate(state: &ProgressState, to: &mut dyn Write) {
    let rate = state.per_sec();
    // The style has no way to report an error.
    let _ = if rate < 10.0 {
        write!(to, "{rate:.1}/s")
    } else {
        write!(to, "{rate:.0}/s")
    };
}

impl RunObserver for Bar {
    fn on_event(&self, event: &RunEvent<'_>) {
        match event {
            RunEvent::Started { step, .. } => self.0.set_message(words::step_name(step).to_owned()),
            RunEvent::Ended { tally, .. } | RunEvent::Withheld { tally, .. } => {
                self.show_count(tally.total - tally.open_count(), tally.total);
            }
            RunEvent::Retrying { .. } => {}
        }
        if let Some(line) = words::event_line(event) {
            self.show_line(&line);
        }
    }
}

impl Display for Bar {
    fn show_count(&self, done: u64, total: u64) {
        self.0.set_length(total);
        self.0.set_position(done);
    }

    fn show_line(&self, text: &str) {
        self.0.println(text);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
