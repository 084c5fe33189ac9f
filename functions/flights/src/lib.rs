//! Flights out of New York in 2013: landing files, staging tables and marts, and the triggers of
//! runs.
//!
//! The landing files come from the nycflights13 data set. `FLIGHTS_LANDING` names the folder in
//! which they arrive, on AWS the bucket; the repository holds those of January.

pub mod assets;
mod compute;
pub mod landing;
mod mean;
pub mod partitions;
pub mod rows;
pub mod triggers;

use landing::Landing;
use precip::{DefinitionsBuilder, prelude::*};

/// Returns the project: its assets, sensors and schedules, and their environments.
pub fn definitions() -> Result<Definitions, InvalidDefinitions> {
    project().build()
}

/// Returns the project before it is built, for a project that adds to it.
pub fn project() -> DefinitionsBuilder {
    let open = |folder: String| async move { Ok(Landing::new(&folder)?) };
    let files_here = env("FLIGHTS_LANDING").or("events/landing");
    // A deployment has no default: it has to name its bucket. The sensors watch the same bucket.
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
