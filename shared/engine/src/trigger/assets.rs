//! Sensors of assets: new materializations of several assets together.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use precip_core::{
    key::AssetKey,
    partitions::{PartitionContext, PartitionKey, PartitionSet, PartitionsDefinition},
    trigger::{Require, SensorSource},
};
use serde::{Deserialize, Serialize};

use super::{
    Decision, RunRequest, SensorContext, SensorDefinition, SensorEvent, SensorResult, TriggerError,
    TriggerPorts, control::sensor_id, function::try_sensor, memory::digest, objects::new_run,
    runs::definition, text::keys_text,
};
use crate::asset::AssetError;
use crate::state::{
    Advance, MAX_RUNS_PER_TICK, NewRun, Sequence, TickRequest, TriggerId, TriggerState,
};

/// The cursor: what each asset was last asked, and which of its partitions are new and not used yet.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Seen {
    #[serde(default)]
    assets: BTreeMap<AssetKey, SeenAsset>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    own: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    failing: Option<Failing>,
}

/// The function fails, and what it was called for is kept.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Failing {
    /// Since when.
    since: DateTime<Utc>,
    /// When it is tried again.
    again: DateTime<Utc>,
}

/// How long is waited at least, and at most, before a function that failed is called again.
const SHORTEST: TimeDelta = TimeDelta::minutes(1);
const LONGEST: TimeDelta = TimeDelta::hours(6);

impl Failing {
    /// Each time about twice as long as before.
    fn at(now: DateTime<Utc>, before: Option<Self>) -> Self {
        let since = before.map_or(now, |before| before.since);
        let wait = (now - since).clamp(SHORTEST, LONGEST);
        Self {
            since,
            again: now + wait,
        }
    }
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct SeenAsset {
    until: Sequence,
    #[serde(default, skip_serializing_if = "PartitionSet::is_empty")]
    unused: PartitionSet,
}

/// Evaluates a sensor of assets: "both raw tables have new materializations".
///
/// Where all watched assets are divided in one way, it is about the partitions that are new in all of
/// them (in any, as declared), and the others stay new until their counterparts come. Otherwise it is
/// about everything that is new, once every asset (any) has something new. Updates are taken in the
/// order of the record, so none is lost however late and often it is invoked.
///
/// Its function is called a few times if it fails in a way that may pass. After that the failure is put
/// down and what it was called for stays new; one that no retry can help is done with.
///
/// # Errors
/// [`TriggerError`]: nothing was requested; invoke it again.
pub async fn evaluate_assets(
    ports: &TriggerPorts,
    sensor: &SensorDefinition,
) -> Result<Decision, TriggerError> {
    let (decision, _) = evaluate_updates(ports, sensor, false).await?;
    Ok(decision)
}

/// As [`evaluate_assets`]. Answers too when a function that failed is to be tried again; with `waits`
/// it is not called before that.
pub(crate) async fn evaluate_updates(
    ports: &TriggerPorts,
    sensor: &SensorDefinition,
    waits: bool,
) -> Result<(Decision, Option<DateTime<Utc>>), TriggerError> {
    let trigger = sensor_id(sensor.name());
    let ignored = |reason: &str| {
        let reason = reason.to_owned();
        Ok((Decision::Ignored { reason }, None))
    };
    let SensorSource::Assets { assets, require } = &sensor.spec.source else {
        return ignored("the sensor does not wait for assets");
    };
    let mut attempt = 0;
    loop {
        let state = ports.settled(&trigger).await?;
        if !sensor.spec.default_status.is_on(state.enabled) {
            return ignored("the sensor is stopped");
        }
        let context = ports.context().await?;
        let before = read(&trigger, &state)?;
        if let Some(failing) = before.failing.filter(|_| waits)
            && failing.again > context.now
        {
            let reason = "its function failed and is tried again later".to_owned();
            return Ok((Decision::Waits { reason }, Some(failing.again)));
        }
        let mut seen = before.clone();
        seen.failing = None;
        for asset in assets {
            let known = seen.assets.entry(asset.clone()).or_default();
            let updates = ports.state.updates(asset, known.until).await?;
            known.until = updates.until;
            known.unused |= &updates.partitions;
        }
        let looked = seen.clone();
        let used = seen.use_up(ports, assets, *require);
        if used.is_empty() {
            let reason = "not every watched asset has a new materialization".to_owned();
            return Ok((Decision::Skipped { reason }, None));
        }
        let call = Call {
            ports,
            sensor,
            trigger: &trigger,
            context: &context,
        };
        let mut advance = Advance {
            revision: state.revision,
            cursor: None,
            at: context.now,
            scheduled_for: None,
            request: TickRequest::Skip { reason: None },
            note: Some(told(&used)),
        };
        let (answer, own) = match call.answer(&used, before.own.clone()).await {
            Ok(answered) => answered,
            Err(error) => {
                let message = error.to_string();
                let left = match error.kind().is_retryable() {
                    true => Seen {
                        failing: Some(Failing::at(context.now, before.failing)),
                        ..looked
                    },
                    false => seen,
                };
                advance.cursor = Some(serde_json::to_string(&left).unwrap_or_default());
                advance.request = TickRequest::Fail {
                    message: message.clone(),
                };
                if ports.advance(&trigger, advance).await?.is_none() {
                    ports.wait_again(&trigger, &mut attempt).await?;
                    continue;
                }
                let again = left.failing.map(|failing| failing.again);
                return Ok((Decision::Failed { message }, again));
            }
        };
        seen.own = own;
        let name = digest(used.iter().map(|(asset, set)| {
            let until = seen.assets.get(asset).map(|seen| seen.until.0);
            format!("{asset}:{until:?}:{set:?}")
        }));
        let runs = call.runs(&answer, &name)?;
        let skip = answer.skip.clone();
        advance.cursor = Some(serde_json::to_string(&seen).unwrap_or_default());
        advance.request = match runs.is_empty() {
            true => TickRequest::Skip {
                reason: skip.clone(),
            },
            false => TickRequest::Runs(runs),
        };
        for (set, key) in &answer.added_partitions {
            ports
                .state
                .add_partitions(set, std::slice::from_ref(key))
                .await?;
        }
        match ports.advance(&trigger, advance).await? {
            None => ports.wait_again(&trigger, &mut attempt).await?,
            Some(created) if created.is_empty() => {
                let reason = skip.unwrap_or_else(|| "its function asks for nothing".to_owned());
                return Ok((Decision::Skipped { reason }, None));
            }
            Some(created) => {
                let partitions = answer
                    .requests
                    .into_iter()
                    .flat_map(|request| request.partitions);
                let requested = Decision::Requested {
                    partitions: partitions.collect(),
                    runs: created.iter().map(|created| created.run().id).collect(),
                };
                return Ok((requested, None));
            }
        }
    }
}

fn read(trigger: &TriggerId, state: &TriggerState) -> Result<Seen, TriggerError> {
    match &state.cursor {
        None => Ok(Seen::default()),
        Some(cursor) => serde_json::from_str(cursor).map_err(|error| TriggerError::Cursor {
            trigger: trigger.to_string(),
            problem: error.to_string(),
        }),
    }
}

fn told(used: &BTreeMap<AssetKey, PartitionSet>) -> String {
    let each = used.iter().map(|(asset, set)| match set.len() {
        1 => asset.to_string(),
        count => format!("{asset} ({count} partitions)"),
    });
    format!("new: {}", each.collect::<Vec<_>>().join(", "))
}

impl Seen {
    /// Takes out what the sensor is called for now; nothing when it is not.
    fn use_up(
        &mut self,
        ports: &TriggerPorts,
        assets: &[AssetKey],
        require: Require,
    ) -> BTreeMap<AssetKey, PartitionSet> {
        let graph = ports.definitions.graph();
        let partitions = |asset: &AssetKey| graph.id(asset).and_then(|id| graph.partitions(id));
        let alike = assets.first().is_some_and(|first| {
            partitions(first).is_some()
                && assets
                    .iter()
                    .all(|asset| partitions(asset) == partitions(first))
        });
        let unused = |asset: &AssetKey| {
            let seen = self.assets.get(asset);
            seen.map(|seen| seen.unused.clone()).unwrap_or_default()
        };
        let mut used: BTreeMap<AssetKey, PartitionSet> = assets
            .iter()
            .map(|asset| (asset.clone(), unused(asset)))
            .collect();
        if require == Require::All {
            if alike {
                let mut common: Option<PartitionSet> = None;
                for set in used.values() {
                    common = Some(common.map_or_else(|| set.clone(), |common| &common & set));
                }
                let common = common.unwrap_or_default();
                used.values_mut().for_each(|set| set.clone_from(&common));
            } else if used.values().any(PartitionSet::is_empty) {
                return BTreeMap::new();
            }
        }
        used.retain(|_, set| !set.is_empty());
        for (asset, set) in &used {
            if let Some(seen) = self.assets.get_mut(asset) {
                seen.unused -= set;
            }
        }
        used
    }
}

struct Call<'a> {
    ports: &'a TriggerPorts,
    sensor: &'a SensorDefinition,
    trigger: &'a TriggerId,
    context: &'a PartitionContext,
}

impl Call<'_> {
    fn keys(&self, asset: &AssetKey, set: &PartitionSet) -> Vec<PartitionKey> {
        let graph = self.ports.definitions.graph();
        let definition = graph.id(asset).and_then(|id| graph.partitions(id));
        definition.map_or_else(Vec::new, |definition| {
            definition.keys(set, self.context).collect()
        })
    }

    async fn answer(
        &self,
        used: &BTreeMap<AssetKey, PartitionSet>,
        own: Option<String>,
    ) -> Result<(SensorResult, Option<String>), AssetError> {
        let keys: BTreeMap<AssetKey, Vec<PartitionKey>> = used
            .iter()
            .map(|(asset, set)| (asset.clone(), self.keys(asset, set)))
            .collect();
        let Some(function) = self.sensor.function else {
            let all = keys.into_values().flatten();
            return Ok((SensorResult::requests([RunRequest::partitions(all)]), own));
        };
        let context = SensorContext::builder()
            .sensor(self.sensor.name().as_str())
            .environment(&self.ports.environment)
            .now(self.context.now)
            .event(SensorEvent::Assets(keys))
            .cursor(own);
        match try_sensor(function, &context, self.ports).await? {
            (answer, _) if answer.requests.len() > MAX_RUNS_PER_TICK => {
                Err(AssetError::retryable(format!(
                    "its function asks for {} runs at once, and at most {MAX_RUNS_PER_TICK} can be \
                     created together: ask for one run of many partitions",
                    answer.requests.len()
                )))
            }
            answered => Ok(answered),
        }
    }

    fn runs(&self, answer: &SensorResult, name: &str) -> Result<Vec<NewRun>, TriggerError> {
        let target = self.sensor.spec.target.as_ref().map(ToString::to_string);
        let definition: Option<&PartitionsDefinition> = definition(self.ports, self.sensor)?;
        let runs = answer.requests.iter().enumerate().map(|(place, request)| {
            let key = request.run_key.clone();
            let key = key.unwrap_or_else(|| format!("updates:{name}#{place}"));
            let text = keys_text(definition, &request.partitions, self.context);
            let target = target.clone();
            new_run(
                self.ports,
                self.trigger,
                target,
                request,
                &key,
                text,
                self.context.now,
            )
        });
        Ok(runs.collect())
    }
}
