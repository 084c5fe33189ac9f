//! [`Project`]: the described project.

use std::collections::{BTreeMap, BTreeSet};

use precip::{
    core::{
        automation::AutomationCondition,
        freshness::FreshnessPolicy,
        key::{AssetKey, CheckKey},
        mapping::PartitionMapping,
        partitions::{
            DynamicPartitions, InvalidTimeWindows, MultiPartitions, PartitionKey,
            PartitionsDefinition, StaticPartitions,
        },
        trigger::{ScheduleSpec, SensorSpec},
    },
    prelude::Severity,
};
use serde::{Deserialize, Serialize};

/// A project. Each asset comes after its upstream assets.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Project {
    /// The assets.
    pub assets: Vec<Node>,
    /// The sensors.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sensors: Vec<SensorSpec>,
    /// The schedules.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub schedules: Vec<ScheduleSpec>,
    /// The functions of sensors, by the sensor's name; the other sensors have none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub functions: BTreeMap<String, Function>,
    /// On Lambda, one process in so many of the reactor aborts in its first second; none if it is 0.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub reactor_kills: u32,
    /// On Lambda, one process in so many of the sensor function aborts in its first second; none if it is
    /// 0.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub sensor_kills: u32,
}

impl Project {
    /// Returns the dynamic keys to add before anything runs, by set.
    pub fn dynamic_keys(&self) -> BTreeMap<&str, Vec<PartitionKey>> {
        let sets = self.assets.iter().filter_map(|node| match &node.keys {
            Keys::Dynamic(set, keys) => {
                let keys = keys.iter().map(|key| PartitionKey::from(key.as_str()));
                Some((set.as_str(), keys.collect()))
            }
            _ => None,
        });
        sets.collect()
    }
}

/// The function of a sensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Function {
    /// Requests a run of the sensor's target.
    RequestsRun,
    /// Panics.
    Panics,
}

/// An asset. Its value is one more than the sum of its inputs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Node {
    /// Its key.
    pub key: String,
    /// The group, by which it can be selected.
    pub group: String,
    /// Its partitions.
    pub keys: Keys,
    /// Its dependencies.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub deps: Vec<Dep>,
    /// Its checks.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<Check>,
    /// The most retries of an item.
    #[serde(skip_serializing_if = "is_zero")]
    pub retries: u32,
    /// The most partitions of one invocation, if more than one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch: Option<u32>,
    /// Its automation condition.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub automation: Option<AutomationCondition>,
    /// Its freshness policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub freshness: Option<FreshnessPolicy>,
    /// The faults of its function, by partition; the key of an unpartitioned asset is empty.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub faults: BTreeMap<String, Fault>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// The partitions of an asset.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Keys {
    /// Unpartitioned.
    #[default]
    None,
    /// Static keys.
    Static(Vec<String>),
    /// Days: the first, and the one after the last.
    Daily(String, String),
    /// Dynamic keys: the set's name, and the keys to add.
    Dynamic(String, Vec<String>),
    /// Several dimensions, by name.
    Multi(BTreeMap<String, Keys>),
}

impl Keys {
    /// Returns the partitions definition.
    ///
    /// # Errors
    /// [`InvalidKeys`] if keys are repeated, or dates are invalid.
    pub fn partitions_definition(&self) -> Result<Option<PartitionsDefinition>, InvalidKeys> {
        use precip::core::partitions::TimeWindowPartitions;
        Ok(match self {
            Self::None => None,
            Self::Static(keys) => {
                let keys = StaticPartitions::new(keys.iter().map(String::as_str));
                Some(keys.map_err(|error| InvalidKeys(error.to_string()))?.into())
            }
            Self::Daily(start, end) => {
                let days = TimeWindowPartitions::daily(start.as_str())
                    .end(end.as_str())
                    .build();
                let invalid = |error: InvalidTimeWindows| InvalidKeys(error.to_string());
                Some(days.map_err(invalid)?.into())
            }
            Self::Dynamic(set, _) => Some(DynamicPartitions::new(set).into()),
            Self::Multi(dimensions) => {
                let mut definitions = Vec::new();
                for (name, keys) in dimensions {
                    let unpartitioned =
                        || InvalidKeys(format!("dimension `{name}` has no partitions"));
                    definitions.push((
                        name,
                        keys.partitions_definition()?.ok_or_else(unpartitioned)?,
                    ));
                }
                let multi = MultiPartitions::new(definitions);
                Some(
                    multi
                        .map_err(|error| InvalidKeys(error.to_string()))?
                        .into(),
                )
            }
        })
    }
}

/// Invalid keys of a partitions definition.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidKeys(String);

/// A dependency of an asset.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dep {
    /// The upstream asset.
    pub asset: String,
    /// The mapping of its partitions; inferred if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mapping: Option<PartitionMapping>,
}

/// A check on an asset.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// Its name.
    pub name: String,
    /// True if downstream assets wait for it.
    #[serde(default)]
    pub blocking: bool,
    /// The severity of its failure.
    #[serde(default)]
    pub severity: Severity,
    /// True if it is an op of its own, false if the asset's function returns its result.
    #[serde(default)]
    pub own_op: bool,
    /// The partitions where it fails.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub failing_in: BTreeSet<String>,
    /// The partitions where its op fails, if it has one.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub erroring_in: BTreeSet<String>,
}

impl Check {
    /// Returns its key on an asset.
    pub fn key(&self, asset: &AssetKey) -> CheckKey {
        CheckKey {
            asset: asset.clone(),
            name: self.name.clone(),
        }
    }
}

/// A fault of an asset's function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// Every attempt fails, and can be retried.
    Retryable,
    /// Every attempt fails for good.
    Terminal,
    /// Every attempt panics.
    Panic,
    /// The first attempts fail.
    First(u32),
    /// On Lambda the first attempts abort their process. On a laptop, where that would abort the run,
    /// nothing happens.
    Killed(u32),
    /// On Lambda the first attempts abort their process after they have returned their values.
    KilledLate(u32),
    /// No fault: there is nothing to make.
    Nothing,
}
