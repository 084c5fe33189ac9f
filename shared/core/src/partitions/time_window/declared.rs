//! The declared fields of a definition, which are its identity and its serialized form.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Exclusion, KeyFormat};
use crate::cron::CronExpression;

/// The declared fields of a definition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Declared {
    pub(super) cron: CronExpression,
    #[schemars(with = "String")]
    pub(super) timezone: Tz,
    pub(super) start: DateTime<Utc>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) end: Option<DateTime<Utc>>,
    pub(super) fmt: KeyFormat,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) end_offset: i32,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) exclusions: Vec<Exclusion>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes the field by reference"
)]
fn is_zero(number: &i32) -> bool {
    *number == 0
}
