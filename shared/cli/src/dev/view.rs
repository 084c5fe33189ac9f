//! [`View`]: what a person sees of it.

use std::{
    io::IsTerminal,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use chrono::{DateTime, Utc};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use precip_engine::run::{RunEvent, RunObserver};
use serde::Serialize;

use crate::progress::Bar;

/// On a terminal: what happened, above a bar for each run and a line that says what is waited for.
/// Elsewhere: a line for each thing that happened. With `--json` each is an object on stdout.
#[derive(Debug)]
pub(super) struct View {
    terminal: Option<(MultiProgress, ProgressBar)>,
    json: bool,
    /// So that two lines never mix.
    writing: Mutex<()>,
}

/// One thing that happened.
#[derive(Debug, Serialize)]
pub(super) struct Happening<'a> {
    pub(super) at: DateTime<Utc>,
    /// What happened to: a sensor, a schedule, a run.
    pub(super) what: &'a str,
    pub(super) text: &'a str,
}

impl View {
    pub(super) fn new(json: bool) -> Self {
        let terminal = (std::io::stderr().is_terminal() && !json).then(|| {
            let all = MultiProgress::new();
            let line = all.add(ProgressBar::new_spinner());
            if let Ok(style) = ProgressStyle::with_template("{spinner:.green} {wide_msg:.dim}") {
                line.set_style(style);
            }
            line.enable_steady_tick(Duration::from_millis(120));
            (all, line)
        });
        Self {
            terminal,
            json,
            writing: Mutex::new(()),
        }
    }

    /// Tells of one thing.
    pub(super) fn tell(&self, at: DateTime<Utc>, what: &str, text: &str) {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        if self.json {
            let line = serde_json::to_string(&Happening { at, what, text });
            out(&line.unwrap_or_default());
            return;
        }
        let line = format!("{}  {what}: {text}", at.format("%H:%M:%S"));
        match &self.terminal {
            Some((all, _)) => {
                // A terminal that is gone is nobody to tell.
                let _ = all.println(line);
            }
            None => err(&line),
        }
    }

    /// Says what is waited for.
    pub(super) fn waits(&self, text: String) {
        if let Some((_, line)) = &self.terminal {
            line.set_message(text);
        }
    }

    /// Who watches a run.
    pub(super) fn observer(&self, total: u64) -> Arc<dyn RunObserver> {
        match &self.terminal {
            Some((all, _)) => Arc::new(Bar::among(all, total)),
            None => Arc::new(Silent),
        }
    }

    /// Leaves the terminal as it was.
    pub(super) fn close(&self) {
        if let Some((_, line)) = &self.terminal {
            line.finish_and_clear();
        }
    }
}

/// Where nobody sees a bar, the lines about a run's beginning and end are enough.
#[derive(Debug)]
struct Silent;

impl RunObserver for Silent {
    fn observe(&self, _: &RunEvent<'_>) {}
}

#[expect(clippy::print_stderr, reason = "told to the person at the terminal")]
fn err(line: &str) {
    eprintln!("{line}");
}

#[expect(clippy::print_stdout, reason = "data for machines")]
fn out(line: &str) {
    println!("{line}");
}
