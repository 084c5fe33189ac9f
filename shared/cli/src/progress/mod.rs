//! What a person sees while a run is under way, on stderr.

mod bar;
mod display;
mod lines;
mod words;

use std::{io::IsTerminal, sync::Arc};

use precip_engine::run::RunObserver;

pub use bar::Bar;
pub use display::Display;
pub use lines::Lines;
pub(crate) use words::attempt as failed_attempt;
pub(crate) use words::failure;

/// Shows what happens in a run of this process: a bar on a terminal, plain lines elsewhere.
pub fn observer(total: u64) -> Arc<dyn RunObserver> {
    if std::io::stderr().is_terminal() {
        Arc::new(Bar::new(total))
    } else {
        Arc::new(Lines::new(total))
    }
}

/// Shows how far a run elsewhere is: a bar on a terminal, plain lines elsewhere.
pub fn display(total: u64) -> Box<dyn Display> {
    if std::io::stderr().is_terminal() {
        Box::new(Bar::new(total))
    } else {
        Box::new(Lines::new(total))
    }
}
