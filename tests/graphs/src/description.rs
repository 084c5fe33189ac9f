//! [`Project`]: what a document says.

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

/// A project: its assets, in an order in which each stands behind what it is made from.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Project {
    /// The assets.
    pub assets: Vec<Node>,
    /// What starts runs when objects come.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sensors: Vec<SensorSpec>,
    /// What starts runs at set times.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub schedules: Vec<ScheduleSpec>,
    /// What the functions of sensors do, by the sensor's name; the others have none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub functions: BTreeMap<String, Function>,
    /// On Lambda, one process in so many of those that evaluate what changed is killed at some moment;
    /// none when it is 0.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub reactor_kills: u32,
    /// On Lambda, one process in so many of those that evaluate sensors is killed at some moment; none
    /// when it is 0.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub sensor_kills: u32,
}

impl Project {
    /// The keys that somebody has to add before anything runs, by set.
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

/// What the function of a sensor does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Function {
    /// It asks for a run of the sensor's target.
    Asks,
    /// It panics, every time.
    Panics,
}

/// One asset. Its data is a number: one more than the sum of everything it is made from.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Node {
    /// Its key.
    pub key: String,
    /// The group, by which it can be selected.
    pub group: String,
    /// How it is divided.
    pub keys: Keys,
    /// What it is made from.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub deps: Vec<Dep>,
    /// What looks at it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<Check>,
    /// How often it is tried again.
    #[serde(skip_serializing_if = "is_zero")]
    pub retries: u32,
    /// How many partitions one invocation makes, if not one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch: Option<u32>,
    /// When it is made without being asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub automation: Option<AutomationCondition>,
    /// When its data is fresh.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub freshness: Option<FreshnessPolicy>,
    /// What goes wrong, by partition; the key of an unpartitioned asset's one is empty.
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

/// How an asset is divided.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Keys {
    /// It is not.
    #[default]
    None,
    /// By these keys.
    Static(Vec<String>),
    /// By days: the first one, and the one behind the last.
    Daily(String, String),
    /// By keys that are added while the project runs: the set's name, and the keys that somebody has
    /// to add.
    Dynamic(String, Vec<String>),
    /// By several dimensions, by name.
    Multi(BTreeMap<String, Keys>),
}

impl Keys {
    /// The definition.
    ///
    /// # Errors
    /// [`InvalidKeys`] when keys are repeated, or dates are none.
    pub fn definition(&self) -> Result<Option<PartitionsDefinition>, InvalidKeys> {
        use precip::core::partitions::TimeWindowPartitions;
        Ok(match self {
            Self::None => None,
            Self::Static(keys) => {
                let keys = StaticPartitions::new(keys.iter().map(String::as_str));
                Some(keys.map_err(|error| InvalidKeys(error.to_string()))?.into())
            }
            Self::Daily(start, end) => {
                let days = TimeWindowPartitions::daily(start.as_str()).end(end.as_str());
                let days = days.build();
                let invalid = |error: InvalidTimeWindows| InvalidKeys(error.to_string());
                Some(days.map_err(invalid)?.into())
            }
            Self::Dynamic(set, _) => Some(DynamicPartitions::new(set).into()),
            Self::Multi(dimensions) => {
                let mut definitions = Vec::new();
                for (name, keys) in dimensions {
                    let undivided = || InvalidKeys(format!("dimension `{name}` is not divided"));
                    definitions.push((name, keys.definition()?.ok_or_else(undivided)?));
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

/// Keys that make no partitions definition.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidKeys(String);

/// What an asset is made from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dep {
    /// The upstream asset.
    pub asset: String,
    /// Which of its partitions; inferred when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mapping: Option<PartitionMapping>,
}

/// A check on an asset.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// Its name.
    pub name: String,
    /// Whether what is downstream waits for it.
    #[serde(default)]
    pub blocking: bool,
    /// What it means when it fails.
    #[serde(default)]
    pub severity: Severity,
    /// Whether it is a function of its own, or the asset's function answers it.
    #[serde(default)]
    pub apart: bool,
    /// The partitions in which it finds something wrong.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub wrong_in: BTreeSet<String>,
    /// The partitions in which its function fails, if it has one.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub fails_in: BTreeSet<String>,
}

impl Check {
    /// What it is called on an asset.
    pub fn key(&self, asset: &AssetKey) -> CheckKey {
        CheckKey {
            asset: asset.clone(),
            name: self.name.clone(),
        }
    }
}

/// What goes wrong in an asset's function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// It fails, every time, as if trying again could help.
    Retryable,
    /// It fails as nothing can help.
    Terminal,
    /// It panics, every time.
    Panic,
    /// The first attempts fail.
    First(u32),
    /// On Lambda, the process is killed in the first attempts. Elsewhere nothing happens: a laptop's
    /// process is killed with its run.
    Killed(u32),
    /// On Lambda, the process is killed in the first attempts, when everything was made and nothing
    /// was told yet.
    KilledLate(u32),
}
