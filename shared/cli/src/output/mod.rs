//! What commands print: data to stdout, everything else to stderr.

mod count;
mod fact;
mod json;
mod size;
mod table;
mod time;

pub use count::counted;
pub use fact::fact;
pub use json::json;
pub use size::bytes;
pub use table::Table;
pub use time::{ago, duration, moment};
