//! [`Exclusion`]: windows that are left out.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cron::CronExpression;

/// Which windows are left out of a definition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Exclusion {
    /// Those that begin at a tick of this schedule, in the definition's time zone.
    Cron(CronExpression),
    /// The one that begins at this moment.
    At(DateTime<Utc>),
}
