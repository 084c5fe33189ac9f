//! Properties of any text that a person may type. Each panics if it does not hold.

mod cron;
mod partition_key;
mod selection;

pub use cron::cron;
pub use partition_key::partition_key;
pub use selection::selection;
