//! Freshness policies: limits on the age of an asset's data.

mod cron;
mod error;
mod policy;
mod state;
mod time_window;

pub use cron::CronFreshness;
pub use error::InvalidFreshness;
pub use policy::FreshnessPolicy;
pub use state::FreshnessState;
pub use time_window::TimeWindowFreshness;

#[cfg(test)]
mod tests;
