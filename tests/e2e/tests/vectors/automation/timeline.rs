//! A case: assets, their events, and the requests of Dagster.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use chrono::{DateTime, TimeDelta, Utc};
#[cfg(feature = "aws")]
use precip_core::partitions::PartitionKey;
use precip_core::{
    automation::{AutomationCondition, RunFacts},
    graph::{AssetGraph, AssetId},
    key::AssetKey,
    mapping::PartitionMapping,
    partitions::{PartitionContext, PartitionSet, PartitionsDefinition},
    spec::{AssetSpec, DepSpec, OpSpec},
};
use serde::Deserialize;
use serde_json::Value;

use super::record::{Record, Status};
use crate::definitions;

/// The named definitions of the file.
pub(crate) struct Definitions(BTreeMap<String, Option<Arc<PartitionsDefinition>>>);

impl Definitions {
    pub(crate) fn read(defs: &Value) -> Self {
        let named = definitions::named(defs).into_iter();
        Self(
            named
                .map(|(name, definition)| (name, definition.map(Arc::new)))
                .collect(),
        )
    }
}

#[derive(Clone, Deserialize)]
struct Asset {
    key: AssetKey,
    deps: Vec<Dep>,
    partitions: String,
    condition: Value,
    #[serde(default = "first_version")]
    code_version: Option<String>,
}

#[derive(Clone, Deserialize)]
struct Dep {
    key: AssetKey,
    mapping: Option<PartitionMapping>,
}

#[derive(Clone, Deserialize)]
pub(crate) struct Step {
    #[serde(rename = "advance_minutes")]
    pub(crate) minutes: i64,
    pub(crate) events: Vec<Event>,
}

/// What conditions may ask of a run.
#[derive(Clone, Default, Deserialize)]
pub(crate) struct RunFields {
    /// The assets that the run was started for. Dagster takes a run without any, which is one of a
    /// whole job, for a run of none of its assets.
    #[serde(default)]
    pub(super) asset_selection: BTreeSet<AssetKey>,
    #[serde(default)]
    pub(super) tags: BTreeMap<String, String>,
}

impl RunFields {
    fn facts(&self) -> RunFacts {
        RunFacts {
            assets: self.asset_selection.clone(),
            tags: self.tags.clone(),
        }
    }
}

#[derive(Clone, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Event {
    Report {
        key: AssetKey,
        partition: Option<String>,
    },
    Observe {},
    Run {
        keys: Vec<AssetKey>,
        partition: Option<String>,
        #[serde(flatten)]
        fields: RunFields,
    },
    FailRun {
        keys: Vec<AssetKey>,
        partition: Option<String>,
        fail: Vec<AssetKey>,
        #[serde(flatten)]
        fields: RunFields,
    },
    StartRun {
        run: String,
        keys: Vec<AssetKey>,
        partition: Option<String>,
        #[serde(flatten)]
        fields: RunFields,
    },
    CancelRun {
        run: String,
    },
    CodeVersion {
        key: AssetKey,
        version: String,
    },
}

/// A partition of an asset; none for the one of an unpartitioned asset.
#[cfg(feature = "aws")]
type Place = (AssetKey, Option<String>);

#[cfg(feature = "aws")]
impl Event {
    /// Returns the partitions that the event is about.
    fn places(&self) -> Vec<Place> {
        let (keys, partition) = match self {
            Self::Report { key, partition } => (std::slice::from_ref(key), partition),
            Self::Run {
                keys, partition, ..
            }
            | Self::FailRun {
                keys, partition, ..
            }
            | Self::StartRun {
                keys, partition, ..
            } => (&**keys, partition),
            Self::Observe {} | Self::CancelRun { .. } | Self::CodeVersion { .. } => {
                return Vec::new();
            }
        };
        let keys = keys.iter().cloned();
        keys.map(|key| (key, partition.clone())).collect()
    }
}

pub(crate) struct Timeline {
    assets: Vec<Asset>,
    definitions: BTreeMap<AssetKey, Option<Arc<PartitionsDefinition>>>,
    now: DateTime<Utc>,
    /// True if all requests of a tick are reported before the next.
    pub(crate) reports_requested: bool,
    pub(crate) steps: Vec<Step>,
}

impl Timeline {
    pub(crate) fn read(case: &Value, definitions: &Definitions) -> Self {
        let assets: Vec<Asset> = serde_json::from_value(case["assets"].clone()).unwrap();
        Self {
            definitions: assets
                .iter()
                .map(|asset| (asset.key.clone(), definitions.0[&asset.partitions].clone()))
                .collect(),
            assets,
            now: case["start_utc"].as_str().unwrap().parse().unwrap(),
            reports_requested: case["after_tick"] == "report_requested",
            steps: serde_json::from_value(case["steps"].clone()).unwrap(),
        }
    }

    pub(crate) fn advance(&mut self, minutes: i64) -> DateTime<Utc> {
        self.now += TimeDelta::minutes(minutes);
        self.now
    }

    pub(crate) fn graph(&self) -> AssetGraph {
        AssetGraph::new(self.ops(), Vec::new()).unwrap()
    }

    /// The assets, as code declares them at the moment.
    pub(crate) fn ops(&self) -> Vec<OpSpec> {
        let ops = self.assets.iter().map(|asset| {
            let mut spec = AssetSpec::new(asset.key.clone());
            let deps = asset.deps.iter().cloned();
            spec.deps = deps
                .map(|dep| DepSpec::new(dep.key).with_mapping(dep.mapping))
                .collect();
            spec.partitions = self.definitions[&asset.key].clone();
            spec.code_version = asset.code_version.clone();
            spec.automation = read_condition(asset.condition.clone());
            OpSpec::single(spec)
        });
        ops.collect()
    }

    #[cfg(feature = "aws")]
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.now
    }

    /// Returns whether a store can record the events of a case, given the requests of its ticks. A store
    /// knows no partition that does not exist yet, and none that an older run is at work on once a newer
    /// one published it.
    #[cfg(feature = "aws")]
    pub(crate) fn can_be_played(mut self, requested: &[(DateTime<Utc>, Value)]) -> bool {
        let mut open: BTreeMap<String, Vec<Place>> = BTreeMap::new();
        let mut before = None;
        for (step, (_, requested)) in self.steps.clone().into_iter().zip(requested) {
            let context = PartitionContext::at(self.advance(step.minutes));
            for event in &step.events {
                let places = event.places();
                if !places.iter().all(|place| self.exists(place, &context)) {
                    return false;
                }
                match event {
                    Event::StartRun { run, .. } => {
                        open.insert(run.clone(), places);
                    }
                    Event::CancelRun { run } => {
                        open.remove(run);
                    }
                    _ if open.values().flatten().any(|place| places.contains(place)) => {
                        return false;
                    }
                    _ => {}
                }
            }
            let reported: Vec<Place> = match before.filter(|_| self.reports_requested) {
                Some(requested) => serde_json::from_value(requested).unwrap_or_default(),
                None => Vec::new(),
            };
            if open
                .values()
                .flatten()
                .any(|place| reported.contains(place))
            {
                return false;
            }
            before = Some(requested.clone());
        }
        true
    }

    #[cfg(feature = "aws")]
    fn exists(&self, (key, partition): &Place, context: &PartitionContext) -> bool {
        match (&self.definitions[key], partition) {
            (None, None) => true,
            (Some(definition), Some(partition)) => {
                let partition = PartitionKey::from(&**partition);
                definition.ordinal(&partition, context).is_ok()
            }
            _ => false,
        }
    }

    pub(crate) fn apply(&mut self, event: &Event, record: &mut Record) {
        let now = self.now;
        match event {
            Event::Report { key, partition } => record.report(key, partition.clone(), now),
            Event::Observe {} => {}
            Event::Run {
                keys,
                partition,
                fields,
            } => {
                let run = fields.facts();
                record.run(keys, run, partition.as_deref(), &[], now, Status::Succeeded);
            }
            Event::FailRun {
                keys,
                partition,
                fail,
                fields,
            } => {
                let run = fields.facts();
                record.run(keys, run, partition.as_deref(), fail, now, Status::Failed);
            }
            Event::StartRun {
                run,
                keys,
                partition,
                fields,
            } => {
                let facts = fields.facts();
                let started = record.run(
                    keys,
                    facts,
                    partition.as_deref(),
                    keys,
                    now,
                    Status::Started,
                );
                record.name(run, started);
            }
            Event::CancelRun { run } => record.cancel(run),
            Event::CodeVersion { key, version } => self.deploy(key, version),
        }
    }

    /// The code of an asset is another from now on.
    pub(crate) fn deploy(&mut self, key: &AssetKey, version: &str) {
        let asset = self.assets.iter_mut().find(|asset| asset.key == *key);
        asset.unwrap().code_version = Some(version.to_owned());
    }
}

/// A condition; two of the names in the file are changes to `eager` rather than Dagster's own, and
/// one length of time has another unit.
fn read_condition(mut written: Value) -> Option<AutomationCondition> {
    if written.is_null() {
        return None;
    }
    adapt_condition(&mut written);
    Some(serde_json::from_value(written).unwrap())
}

/// Rewrites what the file spells in its own way, in every part that is a condition. Other parts, such
/// as the assets of `allow` and `ignore`, stay.
fn adapt_condition(written: &mut Value) {
    let Value::Object(fields) = written else {
        return;
    };
    if let Some(minutes) = fields.remove("lookback_minutes") {
        let seconds = minutes.as_i64().map(|minutes| minutes * 60);
        fields.insert("lookback_seconds".to_owned(), seconds.into());
    }
    let eager = AutomationCondition::eager();
    let without = match fields.get("op").and_then(Value::as_str) {
        Some("replace_eager_without_latest") => AutomationCondition::in_latest_time_window(),
        Some("eager_without_any_deps_missing") => !AutomationCondition::any_deps_missing(),
        _ => {
            for field in fields.values_mut() {
                match field {
                    Value::Array(parts) => parts.iter_mut().for_each(adapt_condition),
                    part => adapt_condition(part),
                }
            }
            return;
        }
    };
    *written = serde_json::to_value(eager.without(&without).unwrap()).unwrap();
}

/// The keys of some partitions; none for the one of an unpartitioned asset.
pub(crate) fn keys(
    graph: &AssetGraph,
    id: AssetId,
    partitions: &PartitionSet,
    context: &PartitionContext,
) -> Vec<Option<String>> {
    match graph.partitions(id) {
        None => vec![None; usize::try_from(partitions.len()).unwrap()],
        Some(definition) => definition
            .keys(partitions, context)
            .map(|key| Some(key.to_string()))
            .collect(),
    }
}

/// The version that code has before the file says anything of it.
#[expect(
    clippy::unnecessary_wraps,
    reason = "serde wants the type of the field"
)]
fn first_version() -> Option<String> {
    Some("v1".to_owned())
}
