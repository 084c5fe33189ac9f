//! [`Exclusion`]: excluded windows.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cron::CronExpression;

/// Windows that are excluded from a definition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Exclusion {
    /// The windows that begin at a tick of this schedule, in the definition's time zone.
    Cron(CronExpression),
    /// The window that begins at this moment.
    At(DateTime<Utc>),
}
