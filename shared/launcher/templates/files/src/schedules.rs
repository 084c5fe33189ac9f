//! The schedules.

use precip::prelude::*;

/// Each morning at six, yesterday's orders and everything downstream: for files that arrive without an event.
/// `schedule each_morning start` turns it on.
#[schedule(from_partitions(hour = 6), target = "orders+")]
pub struct each_morning;
