//! [`SensorSpec`]: what a sensor waits for, and what it starts.

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

/// A sensor: what it waits for, and what it starts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SensorSpec {
    /// The name, unique among sensors.
    pub name: TriggerName,
    /// What it waits for.
    pub source: SensorSource,
    /// What it makes. A sensor with a function may leave it to the function's run requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Selection>,
    /// Whether it is on where nobody turned it on or off.
    #[serde(default)]
    pub default_status: DefaultStatus,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whether a function decides; otherwise the partitions of the event are made.
    #[serde(default)]
    pub has_function: bool,
}

/// What a sensor waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum SensorSource {
    /// Objects that come to a bucket.
    Objects(ObjectSensor),
    /// New materializations of assets. As Dagster's `multi_asset_sensor`.
    Assets {
        /// The watched assets.
        assets: Vec<AssetKey>,
        /// Whether all of them need a new materialization.
        #[serde(default)]
        require: Require,
    },
    /// Runs that ended. As Dagster's `run_status_sensor`.
    Runs {
        /// How they ended: one of these.
        statuses: Vec<MonitoredStatus>,
        /// Only runs that make one of these assets.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        of: Option<Selection>,
    },
}

/// How many of the watched assets need a new materialization.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Require {
    /// Every one, and of the same partition where all are divided in one way.
    #[default]
    All,
    /// One is enough.
    Any,
}

/// How a run can end.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum MonitoredStatus {
    /// Everything was made.
    Succeeded,
    /// Something failed.
    Failed,
    /// It was stopped.
    Canceled,
}

/// Objects that come to a bucket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ObjectSensor {
    /// The bucket.
    pub bucket: Bucket,
    /// Which objects.
    pub filter: ObjectFilter,
    /// Objects with fewer bytes are left out; 0 for none.
    #[serde(default)]
    pub min_size: u64,
    /// Whether deleted objects are told of as well.
    #[serde(default)]
    pub deletes: bool,
}

/// Which bucket: by name, or by a setting that is read where the project runs. On a laptop it is a
/// folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Bucket {
    /// This one.
    Named(String),
    /// The one that an environment variable names.
    Variable {
        /// The variable.
        name: String,
        /// The bucket where it is not set.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        default: Option<String>,
    },
}

/// Which objects of a bucket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ObjectFilter {
    /// Those whose keys fit, and say which partition they belong to.
    Key(KeyTemplate),
    /// Those whose keys begin and end so.
    Between {
        /// What keys begin with; nothing for any.
        #[serde(default)]
        prefix: String,
        /// What keys end with; nothing for any.
        #[serde(default)]
        suffix: String,
    },
}

impl ObjectFilter {
    /// The filter as a template.
    pub fn template(&self) -> Cow<'_, KeyTemplate> {
        match self {
            Self::Key(template) => Cow::Borrowed(template),
            Self::Between { prefix, suffix } => Cow::Owned(KeyTemplate::between(prefix, suffix)),
        }
    }
}

impl ObjectSensor {
    /// Whether the sensor is about an object, by key and size. A key that ends in `/` with nothing
    /// behind it is a folder that a console made, and no file.
    pub fn takes(&self, key: &str, size: Option<u64>) -> bool {
        let folder = key.ends_with('/') && size.unwrap_or(0) == 0;
        !folder && size.is_none_or(|size| size >= self.min_size) && self.filter.template().fits(key)
    }
}

impl SensorSpec {
    /// The assets that the sensor makes; `None` when its function says so.
    ///
    /// # Errors
    /// [`InvalidTrigger`] when the target makes no sense or selects nothing.
    pub fn target(&self, graph: &AssetGraph) -> Result<Option<AssetSet>, InvalidTrigger> {
        let target = self.target.as_ref();
        target
            .map(|target| resolve_target(target, graph))
            .transpose()
    }

    /// How the keys of objects become partitions of the target; `None` when the function says so, or
    /// the sensor waits for something else.
    ///
    /// # Errors
    /// [`InvalidTrigger`] when they cannot.
    pub fn fit(&self, graph: &AssetGraph) -> Result<Option<TemplateFit>, InvalidTrigger> {
        let (SensorSource::Objects(objects), Some(target)) = (&self.source, self.target(graph)?)
        else {
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
    pub fn check(&self, graph: &AssetGraph) -> Result<(), InvalidTrigger> {
        if self.target.is_none() && !self.has_function {
            return Err(InvalidTrigger::NoTarget);
        }
        self.target(graph)?;
        match &self.source {
            SensorSource::Objects(objects) => {
                self.fit(graph)?;
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
