//! [`View`]: the output of `dev`.

use std::{
    io::IsTerminal,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use chrono::{DateTime, Utc};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use precip_engine::run::{RunEvent, RunObserver};
use serde::Serialize;

use crate::{
    answers::{Above, print_answer_line, print_note_line, show_above},
    progress::Bar,
};

/// The output of `dev`. On a terminal: events, above a bar for each run and a status line. Elsewhere: a
/// line for each event. With `--json` each event is an object on stdout.
#[derive(Debug)]
pub(super) struct View {
    terminal: Option<(MultiProgress, ProgressBar)>,
    json: bool,
    /// Held while a line is written, so that lines do not mix.
    writing: Mutex<()>,
}

/// An event that is shown.
#[derive(Debug, Serialize)]
struct DevEvent<'a> {
    at: DateTime<Utc>,
    /// Name of its subject: a sensor, a schedule, a run.
    what: &'a str,
    text: &'a str,
}

impl View {
    /// Creates the view.
    pub(super) fn new(json: bool) -> Self {
        let terminal = (std::io::stderr().is_terminal() && !json).then(|| {
            let all = MultiProgress::new();
            let line = all.add(ProgressBar::new_spinner());
            if let Ok(style) = ProgressStyle::with_template("{spinner:.green} {wide_msg:.dim}") {
                line.set_style(style);
            }
            line.enable_steady_tick(Duration::from_millis(120));
            show_above(Some(Above::All(all.clone())));
            (all, line)
        });
        Self {
            terminal,
            json,
            writing: Mutex::new(()),
        }
    }

    /// Shows an event about `what`.
    pub(super) fn show_event(&self, at: DateTime<Utc>, what: &str, text: &str) {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        if self.json {
            let line = serde_json::to_string(&DevEvent { at, what, text });
            print_answer_line(&line.unwrap_or_default());
            return;
        }
        let line = format!("{}  {what}: {text}", at.format("%H:%M:%S"));
        match &self.terminal {
            Some((all, _)) => {
                // Fails when the terminal is closed, and then there is no reader.
                let _ = all.println(line);
            }
            None => print_note_line(&line),
        }
    }

    /// Shows what `dev` is waiting for, on a terminal.
    pub(super) fn show_status(&self, text: String) {
        if let Some((_, line)) = &self.terminal {
            line.set_message(text);
        }
    }

    /// Returns an observer for a run.
    pub(super) fn new_observer(&self, total: u64) -> Arc<dyn RunObserver> {
        match &self.terminal {
            Some((all, _)) => Arc::new(Bar::new_among(all, total)),
            None => Arc::new(SilentObserver),
        }
    }

    /// Removes the status line from the terminal.
    pub(super) fn clear_status(&self) {
        if let Some((_, line)) = &self.terminal {
            show_above(None);
            line.finish_and_clear();
        }
    }
}

/// An observer that shows nothing. Without a terminal, the lines about a run's start and end suffice.
#[derive(Debug)]
struct SilentObserver;

impl RunObserver for SilentObserver {
    fn on_event(&self, _: &RunEvent<'_>) {}
}
