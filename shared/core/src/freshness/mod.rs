//! Freshness policies: how old an asset's data may be before someone should look.

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
