//! What a person sees while a run is under way, on stderr.

mod bar;
mod lines;
mod words;

use std::{io::IsTerminal, sync::Arc};

use precip_engine::run::RunObserver;

pub use bar::Bar;
pub use lines::Lines;
pub(crate) use words::failure;

/// A bar on a terminal, plain lines elsewhere.
pub fn observer(total: u64) -> Arc<dyn RunObserver> {
    if std::io::stderr().is_terminal() {
        Arc::new(Bar::new(total))
    } else {
        Arc::new(Lines::new(total))
    }
}
