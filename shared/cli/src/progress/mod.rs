//! Progress of a run, on stderr.

mod bar;
mod display;
mod lines;
mod words;

use std::{io::IsTerminal, sync::Arc};

use precip_engine::run::RunObserver;

pub(crate) use bar::Bar;
pub(crate) use display::Display;
pub(crate) use lines::Lines;
pub(crate) use words::{describe_attempt, describe_failure};

/// Returns an observer that shows a run of this process: a bar on a terminal, plain lines elsewhere.
pub(crate) fn new_observer(total: u64) -> Arc<dyn RunObserver> {
    if std::io::stderr().is_terminal() {
        Arc::new(Bar::new(total))
    } else {
        Arc::new(Lines::new(total))
    }
}

/// Returns a display for a run in another process: a bar on a terminal, plain lines elsewhere.
pub(crate) fn new_display(total: u64) -> Box<dyn Display> {
    if std::io::stderr().is_terminal() {
        Box::new(Bar::new(total))
    } else {
        Box::new(Lines::new(total))
    }
}
