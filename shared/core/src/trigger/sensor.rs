//! [`SensorSpec`]: the declaration of a sensor.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    DefaultStatus, EventPattern, InvalidTrigger, KeyTemplate, TemplateFit, common::resolve_target,
};
use crate::{
    graph::{AssetGraph, AssetSet},
    key::AssetKey,
    selection::Selection,
    spec::TriggerName,
};

/// The declaration of a sensor: its source of events and its target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SensorSpec {
    /// The name, unique among sensors.
    pub name: TriggerName,
    /// The events that it waits for.
    pub source: SensorSource,
    /// The assets to materialize. A sensor with a function may leave them to the function's run
    /// requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Selection>,
    /// The status until the sensor is turned on or off.
    #[serde(default)]
    pub default_status: DefaultStatus,
    /// The description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// `true` if a function decides what runs; otherwise an event materializes its partitions.
    #[serde(default)]
    pub has_function: bool,
}

/// The events that a sensor waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum SensorSource {
    /// Objects that arrive in a bucket.
    Objects(ObjectSensor),
    /// New materializations of assets. As Dagster's `multi_asset_sensor`.
    Assets {
        /// The watched assets.
        assets: Vec<AssetKey>,
        /// The assets that need a new materialization: all of them or any.
        #[serde(default)]
        require: Require,
    },
    /// Finished runs. As Dagster's `run_status_sensor`.
    Runs {
        /// The statuses that count.
        statuses: Vec<MonitoredStatus>,
        /// The selection that a run has to materialize an asset of; any asset when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        of: Option<Selection>,
    },
}

/// The watched assets that need a new materialization.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Require {
    /// Every asset, for the same partition where all have one partitions definition.
    #[default]
    All,
    /// Any asset.
    Any,
}

/// The status of a finished run.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum MonitoredStatus {
    /// Everything succeeded.
    Succeeded,
    /// Something failed.
    Failed,
    /// The run was canceled.
    Canceled,
}

/// A sensor for objects that arrive in a bucket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ObjectSensor {
    /// The bucket.
    pub bucket: Bucket,
    /// The objects that count.
    pub filter: ObjectFilter,
    /// The smallest size, in bytes; 0 for no limit.
    #[serde(default)]
    pub min_size: u64,
    /// `true` if deleted objects count as well.
    #[serde(default)]
    pub deletes: bool,
}

/// A bucket, by name or by a setting that is read where the project runs. Locally it is a folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Bucket {
    /// The bucket of this name.
    Named(String),
    /// The bucket that an environment variable names.
    Variable {
        /// The variable.
        name: String,
        /// The bucket when the variable is not set.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        default: Option<String>,
    },
}

/// A filter for the objects of a bucket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ObjectFilter {
    /// Objects whose keys match a template, which reads the partition from them.
    Key(KeyTemplate),
    /// Objects whose keys have a prefix and a suffix.
    Between {
        /// The prefix; empty for any.
        #[serde(default)]
        prefix: String,
        /// The suffix; empty for any.
        #[serde(default)]
        suffix: String,
    },
}

impl ObjectFilter {
    /// Returns the filter as a template.
    pub fn template(&self) -> Cow<'_, KeyTemplate> {
        match self {
            Self::Key(template) => Cow::Borrowed(template),
            Self::Between { prefix, suffix } => Cow::Owned(KeyTemplate::from_ends(prefix, suffix)),
        }
    }
}

impl ObjectSensor {
    /// Returns
    /// `true` if an object counts, by its key and size. An empty object whose key ends in `/` is a
    /// folder created in the console, and does not count.
    pub fn accepts_object(&self, key: &str, size: Option<u64>) -> bool {
        let folder = key.ends_with('/') && size.unwrap_or(0) == 0;
        !folder
            && size.is_none_or(|size| size >= self.min_size)
            && self.filter.template().matches_key(key)
    }
}

impl SensorSpec {
    /// Returns the assets that the sensor materializes; `None` when its function chooses them.
    ///
    /// # Errors
    /// [`InvalidTrigger`] when the target is invalid or selects nothing.
    pub fn target(&self, graph: &AssetGraph) -> Result<Option<AssetSet>, InvalidTrigger> {
        let target = self.target.as_ref();
        target
            .map(|target| resolve_target(target, graph))
            .transpose()
    }

    /// Fits the key template to the target; `None` when a function chooses the partitions, or the
    /// sensor waits for other events.
    ///
    /// # Errors
    /// [`InvalidTrigger`] when the template does not fit.
    pub fn fit_template(&self, graph: &AssetGraph) -> Result<Option<TemplateFit>, InvalidTrigger> {
        // Only keys of objects name partitions, and only of a known target.
        let objects = match &self.source {
            SensorSource::Objects(objects) => objects,
            SensorSource::Assets { .. } | SensorSource::Runs { .. } => return Ok(None),
        };
        let Some(target) = self.target(graph)? else {
            return Ok(None);
        };
        match &objects.filter {
            ObjectFilter::Key(template) if !self.has_function || !template.names().is_empty() => {
                Ok(Some(TemplateFit::new(template, graph, &target)?))
            }
            ObjectFilter::Between { .. } if !self.has_function => {
                let template = objects.filter.template();
                Ok(Some(TemplateFit::new(&template, graph, &target)?))
            }
            _ => Ok(None),
        }
    }

    /// Checks the sensor against the assets of its project.
    ///
    /// # Errors
    /// [`InvalidTrigger`], which says what to write instead.
    pub fn validate(&self, graph: &AssetGraph) -> Result<(), InvalidTrigger> {
        if self.target.is_none() && !self.has_function {
            return Err(InvalidTrigger::NoTarget);
        }
        self.target(graph)?;
        match &self.source {
            // Building the fit and the pattern finds errors in the key before a deployment.
            SensorSource::Objects(objects) => {
                self.fit_template(graph)?;
                let name = match &objects.bucket {
                    Bucket::Named(name) => name.as_str(),
                    // The longest name that a bucket can have.
                    Bucket::Variable { .. } => {
                        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
                    }
                };
                EventPattern::new(objects, name)?;
            }
            SensorSource::Assets { assets, .. } => self.check_watched(assets, graph)?,
            SensorSource::Runs { of, .. } => {
                if let Some(of) = of {
                    of.resolve(graph)
                        .map_err(|invalid| InvalidTrigger::Target(Box::new(invalid)))?;
                }
            }
        }
        Ok(())
    }

    /// Checks that the watched assets exist and, without a function, share their partitions.
    fn check_watched(&self, assets: &[AssetKey], graph: &AssetGraph) -> Result<(), InvalidTrigger> {
        let Some(first) = assets.first() else {
            return Err(InvalidTrigger::NoAssets);
        };
        let partitions = |key: &AssetKey| match graph.id(key) {
            Some(id) => Ok(graph.partitions(id)),
            None => Err(InvalidTrigger::UnknownAsset { asset: key.clone() }),
        };
        let of_first = partitions(first)?;
        for asset in assets {
            if partitions(asset)? != of_first && !self.has_function {
                return Err(InvalidTrigger::MixedPartitions {
                    one: first.clone(),
                    other: asset.clone(),
                });
            }
        }
        Ok(())
    }
}
