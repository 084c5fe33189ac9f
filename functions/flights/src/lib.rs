//! Flights out of New York in 2013: landing files, staging tables and marts, and what starts runs.
//!
//! The landing files come from the nycflights13 data set. `FLIGHTS_LANDING` names the folder that
//! they are dropped into, and on AWS the bucket; the repository holds those of January.

pub mod assets;
mod compute;
pub mod landing;
mod mean;
pub mod partitions;
pub mod rows;
pub mod triggers;

use landing::Landing;
use precip::{DefinitionsBuilder, prelude::*};

/// The project: its assets, its sensors and schedules, and what they use in each environment.
pub fn definitions() -> Result<Definitions, InvalidDefinitions> {
    project().build()
}

/// The same before it is put together, for a project that adds to it.
pub fn project() -> DefinitionsBuilder {
    let open = |place: String| async move { Ok(Landing::new(&place)?) };
    let files_here = env("FLIGHTS_LANDING").or("events/landing");
    // A deployment has to say which bucket its files land in. The sensors watch the same.
    let prod = Environment::new("prod").resource_from(
        "landing",
        env("FLIGHTS_LANDING"),
        |bucket: String| async move { Ok(Landing::new(&format!("s3://{bucket}"))?) },
    );
    Definitions::builder()
        .discover()
        .resource_from("landing", files_here, open)
        .environment(Environment::new("local"))
        .environment(prod)
}
