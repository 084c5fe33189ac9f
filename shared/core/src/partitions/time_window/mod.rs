//! [`TimeWindowPartitions`]: one key per window between two ticks of a cron schedule.

mod bounds;
mod builder;
mod declared;
mod definition;
mod error;
mod exclusion;
mod format;
mod growth;
mod index;
mod lookup;
mod series;
mod strftime;
mod strptime;
mod unbounded;
mod window;

pub use builder::{Moment, TimeWindowBuilder};
pub use definition::TimeWindowPartitions;
pub use error::InvalidTimeWindows;
pub use exclusion::Exclusion;
pub use format::{InvalidKeyFormat, KeyFormat};
pub use window::{Cadence, TimeWindow};

#[cfg(test)]
mod tests;
