//! The sensors: what starts a run.

use precip::prelude::*;

/// A file of orders materializes the tables of its day. `weekly_revenue` follows by its automation condition. On a
/// laptop, `dev` watches the folder.
#[sensor(
    bucket = env("LANDING").or("landing"),
    key = "orders/{date}.csv",
    target = "key:orders or key:daily_revenue",
    status = running,
)]
pub struct landing_orders;
