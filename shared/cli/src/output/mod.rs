//! What commands print: data to stdout, everything else to stderr.

mod fact;
mod json;
mod table;
mod time;

pub use fact::fact;
pub use json::json;
pub use table::Table;
pub use time::{ago, duration, moment};
