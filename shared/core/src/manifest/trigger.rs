//! Sensors and schedules in a manifest.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::SourceManifest;
use crate::trigger::{ScheduleSpec, SensorSpec};

/// A sensor: its declaration, and details of its function.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SensorManifest {
    /// The sensor's declaration.
    #[serde(flatten)]
    pub spec: SensorSpec,
    /// The resources and the source location of its function.
    #[serde(flatten)]
    pub details: TriggerDetails,
}

/// A schedule: its declaration, and details of its function.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ScheduleManifest {
    /// The schedule's declaration.
    #[serde(flatten)]
    pub spec: ScheduleSpec,
    /// The resources and the source location of its function.
    #[serde(flatten)]
    pub details: TriggerDetails,
}

/// The details of the function of a sensor or schedule.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TriggerDetails {
    /// The resources that the function takes, in its order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<String>,
    /// The source location of its declaration. Serialized as `declared_at`, because `source` is the
    /// event source of a sensor.
    #[serde(
        default,
        rename = "declared_at",
        skip_serializing_if = "Option::is_none"
    )]
    pub source: Option<SourceManifest>,
}
