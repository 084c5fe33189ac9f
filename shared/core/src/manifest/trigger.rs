//! Sensors and schedules as a manifest shows them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::SourceManifest;
use crate::trigger::{ScheduleSpec, SensorSpec};

/// A sensor: what is declared of it, and what its function takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SensorManifest {
    /// What is declared of it.
    #[serde(flatten)]
    pub spec: SensorSpec,
    /// What its function takes, and where it is.
    #[serde(flatten)]
    pub details: TriggerDetails,
}

/// A schedule: what is declared of it, and what its function takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ScheduleManifest {
    /// What is declared of it.
    #[serde(flatten)]
    pub spec: ScheduleSpec,
    /// What its function takes, and where it is.
    #[serde(flatten)]
    pub details: TriggerDetails,
}

/// What is known of the function of a sensor or schedule.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TriggerDetails {
    /// The resources that it takes, in the function's order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<String>,
    /// Where it is declared. As a `source` is what a sensor waits for, it has another name here.
    #[serde(
        default,
        rename = "declared_at",
        skip_serializing_if = "Option::is_none"
    )]
    pub source: Option<SourceManifest>,
}
