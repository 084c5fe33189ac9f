//! What has to hold of any text that a person may type. Each property panics where it does not.

mod cron;
mod partition_key;
mod selection;

pub use cron::cron;
pub use partition_key::partition_key;
pub use selection::selection;
