//! Flights out of New York in 2013: landing files, staging tables and marts, and what starts runs.
//!
//! The landing files come from the nycflights13 data set. `FLIGHTS_LANDING` names the folder that
//! they are dropped into; the repository holds those of January.

pub mod assets;
mod compute;
pub mod landing;
mod mean;
pub mod partitions;
pub mod rows;
pub mod triggers;

use landing::Landing;
use precip::prelude::*;

/// The project: its assets, its sensors and schedules, and what they use in each environment.
pub fn definitions() -> Result<Definitions, InvalidDefinitions> {
    let landing = env("FLIGHTS_LANDING").or("events/landing");
    let local = Environment::new("local").resource_from("landing", landing, |folder| async move {
        Ok(Landing::new(folder))
    });
    Definitions::builder().discover().environment(local).build()
}
