//! The sensors: what starts a run.

use precip::prelude::*;

/// A new file of orders materializes them, and everything downstream. On a laptop, `dev` watches the folder.
#[sensor(
    bucket = env("LANDING").or("landing"),
    prefix = "orders",
    suffix = ".csv",
    target = "orders+",
    status = running,
)]
pub fn landing_orders(context: &SensorContext) -> Result<RunRequest, Skip> {
    let object = context
        .object()
        .map_err(|error| Skip::because(error.to_string()))?;
    if object.key != "orders.csv" {
        return Err(Skip::because(format!("no asset reads `{}`", object.key)));
    }
    Ok(RunRequest::new().tag("file", &object.key))
}
