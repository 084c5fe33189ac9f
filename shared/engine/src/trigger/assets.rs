//! Sensors of assets: new materializations of several assets.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use precip_core::{
    graph::AssetGraph,
    key::AssetKey,
    partitions::{PartitionContext, PartitionKey, PartitionSet, PartitionsDefinition},
    plan::PlanBasis,
    trigger::{Require, SensorSource},
};
use serde::{Deserialize, Serialize};

use super::{
    Decision, RunRequest, SensorContext, SensorDefinition, SensorEvent, SensorResult, TriggerError,
    TriggerPorts,
    control::sensor_id,
    function::{NO_REQUEST, describe_too_many, try_sensor},
    memory::digest_names,
    new_run::{KEY_BYTES_PER_RUN, new_run},
    runs::target_partitions,
    text::keys_text,
};
use crate::asset::AssetError;
use crate::state::{
    Advance, MAX_RUNS_PER_TICK, NewRun, Sequence, TickRequest, TriggerId, TriggerState,
};

/// The cursor of a sensor of assets.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct AssetsCursor {
    /// The position in the updates of each asset.
    #[serde(default)]
    assets: BTreeMap<AssetKey, AssetPosition>,
    /// The function's own cursor.
    #[serde(default, rename = "own", skip_serializing_if = "Option::is_none")]
    function_cursor: Option<String>,
    /// The retries of a failing function; its updates are kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    failing: Option<Failing>,
    /// The definitions that the unused partitions are numbered by.
    #[serde(default, skip_serializing_if = "PlanBasis::is_unknown")]
    basis: PlanBasis,
}

/// The retries of a function that fails.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Failing {
    /// Time of the first failure.
    since: DateTime<Utc>,
    /// Time of the next call.
    #[serde(rename = "again")]
    retry_at: DateTime<Utc>,
}

/// The shortest wait before a function that failed is called again.
const MIN_WAIT: TimeDelta = TimeDelta::minutes(1);
/// The longest wait before a function that failed is called again.
const MAX_WAIT: TimeDelta = TimeDelta::hours(6);

impl Failing {
    /// Returns the state after another failure. The wait is as long as the function has failed so
    /// far, so that it about doubles each time.
    fn after_failure(now: DateTime<Utc>, before: Option<Self>) -> Self {
        let since = before.map_or(now, |before| before.since);
        let wait = (now - since).clamp(MIN_WAIT, MAX_WAIT);
        Self {
            since,
            retry_at: now + wait,
        }
    }
}

/// The position in the updates of one asset.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct AssetPosition {
    /// The last update that was read.
    until: Sequence,
    /// Partitions with updates that were read and not used yet.
    #[serde(default, skip_serializing_if = "PartitionSet::is_empty")]
    unused: PartitionSet,
}

/// Evaluates a sensor of assets: "both raw tables have new materializations".
///
/// If all watched assets are partitioned alike, the sensor is called for the partitions that are
/// new in all of them (or in any, as declared); the others stay new until their counterparts are
/// materialized. Otherwise it is called for everything that is new, once every asset (or any) has an
/// update. Updates are read in the order in which they were recorded, so that none is lost, however
/// late and often the sensor is invoked.
///
/// A function that fails with a transient error is called a few times. After that the failure is
/// recorded and its updates stay new; the updates of a final error are dropped.
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

/// Evaluates a sensor as [`evaluate_assets`] does, and also returns the time at which a function that
/// failed is called again. With `delay_retry` it is not called before that time.
pub(crate) async fn evaluate_updates(
    ports: &TriggerPorts,
    sensor: &SensorDefinition,
    delay_retry: bool,
) -> Result<(Decision, Option<DateTime<Utc>>), TriggerError> {
    let trigger = sensor_id(sensor.name());
    let ignored = |reason: &str| {
        let reason = reason.to_owned();
        Ok((Decision::Ignored { reason }, None))
    };
    let (assets, require) = match &sensor.spec.source {
        SensorSource::Assets { assets, require } => (assets, require),
        SensorSource::Objects(_) | SensorSource::Runs { .. } => {
            return ignored("the sensor does not watch assets");
        }
    };
    let mut attempt = 0;
    loop {
        let state = ports.launched_state(&trigger).await?;
        if !sensor.spec.default_status.is_on(state.enabled) {
            return ignored("the sensor is stopped");
        }
        let context = ports.current_context().await?;
        let before = read_cursor(&trigger, &state)?;
        if let Some(failing) = before.failing.filter(|_| delay_retry)
            && failing.retry_at > context.now
        {
            let reason = "its function failed and is called again later".to_owned();
            return Ok((Decision::Waits { reason }, Some(failing.retry_at)));
        }
        // 1. Read the updates since the last evaluation.
        let mut cursor = before.clone();
        cursor.failing = None;
        cursor.renumber_unused(ports.definitions.graph(), &context);
        for asset in assets {
            let position = cursor.assets.entry(asset.clone()).or_default();
            let updates = ports.state.published_since(asset, position.until).await?;
            position.until = updates.until;
            position.unused |= &updates.partitions;
        }
        // 2. Take those that the sensor is called for. If the call must be retried, the cursor keeps
        //    them.
        let untaken = cursor.clone();
        let used = cursor.take_updates(ports, assets, *require);
        if used.is_empty() {
            // Nothing is recorded: the next evaluation reads the same updates again.
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
            note: Some(describe_updates(&used)),
        };
        // 3. Call the function, or request all of them without one.
        let own_cursor = before.function_cursor.clone();
        let (answer, own_cursor) = match call.call_function(&used, own_cursor).await {
            Ok(answered) => answered,
            Err(error) => {
                let message = error.to_string();
                let after = if error.kind().is_retryable() {
                    AssetsCursor {
                        failing: Some(Failing::after_failure(context.now, before.failing)),
                        ..untaken
                    }
                } else {
                    cursor
                };
                advance.cursor = Some(after.to_text(ports.definitions.graph()));
                advance.request = TickRequest::Fail {
                    message: message.clone(),
                };
                if ports.advance_and_launch(&trigger, advance).await?.is_none() {
                    ports.back_off(&trigger, &mut attempt).await?;
                    continue;
                }
                let retry_at = after.failing.map(|failing| failing.retry_at);
                return Ok((Decision::Failed { message }, retry_at));
            }
        };
        // 4. Record the cursor and the runs in one tick. The updates name the runs: an evaluation
        //    that is repeated after a crash requests the same ones.
        cursor.function_cursor = own_cursor;
        let name = digest_names(used.iter().map(|(asset, set)| {
            let until = cursor.assets.get(asset).map(|position| position.until.0);
            format!("{asset}:{until:?}:{set:?}")
        }));
        let runs = call.new_runs(&answer, &name)?;
        let skip = answer.skip.clone();
        advance.cursor = Some(cursor.to_text(ports.definitions.graph()));
        advance.request = if runs.is_empty() {
            TickRequest::Skip {
                reason: skip.clone(),
            }
        } else {
            TickRequest::Runs(runs)
        };
        for (set, key) in &answer.added_partitions {
            ports
                .state
                .add_dynamic_keys(set, std::slice::from_ref(key))
                .await?;
        }
        match ports.advance_and_launch(&trigger, advance).await? {
            None => ports.back_off(&trigger, &mut attempt).await?,
            Some(created) if created.is_empty() => {
                let reason = skip.unwrap_or_else(|| NO_REQUEST.to_owned());
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

fn read_cursor(trigger: &TriggerId, state: &TriggerState) -> Result<AssetsCursor, TriggerError> {
    match &state.cursor {
        None => Ok(AssetsCursor::default()),
        Some(cursor) => serde_json::from_str(cursor).map_err(|error| TriggerError::Cursor {
            trigger: trigger.to_string(),
            problem: error.to_string(),
        }),
    }
}

/// Describes the updates of an evaluation, for the tick's note.
fn describe_updates(used: &BTreeMap<AssetKey, PartitionSet>) -> String {
    let each = used.iter().map(|(asset, set)| match set.len() {
        1 => asset.to_string(),
        count => format!("{asset} ({count} partitions)"),
    });
    format!("new: {}", each.collect::<Vec<_>>().join(", "))
}

impl AssetsCursor {
    /// Brings the unused partitions into the ordinals of the definitions now: a deployment may lie
    /// between two evaluations. Partitions without a key now are dropped.
    fn renumber_unused(&mut self, graph: &AssetGraph, context: &PartitionContext) {
        let basis = std::mem::take(&mut self.basis);
        for (asset, position) in &mut self.assets {
            position.unused = basis.translate_ordinals(graph, asset, &position.unused, context);
        }
    }

    /// Returns the text of the cursor, with the definitions that its partitions are numbered by.
    fn to_text(&self, graph: &AssetGraph) -> String {
        let mut stored = self.clone();
        for (asset, position) in &self.assets {
            if !position.unused.is_empty() {
                stored.basis.add_partitions(graph, asset);
            }
        }
        serde_json::to_string(&stored).unwrap_or_default()
    }

    /// Removes and returns the updates that the sensor is called for; none when it is not called.
    fn take_updates(
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
            let position = self.assets.get(asset);
            position
                .map(|position| position.unused.clone())
                .unwrap_or_default()
        };
        let mut used: BTreeMap<AssetKey, PartitionSet> = assets
            .iter()
            .map(|asset| (asset.clone(), unused(asset)))
            .collect();
        if require == Require::All {
            if alike {
                // The partitions that are new in every asset.
                let mut common: Option<PartitionSet> = None;
                for set in used.values() {
                    common = Some(common.map_or_else(|| set.clone(), |common| &common & set));
                }
                let new_in_all = common.unwrap_or_default();
                used.values_mut()
                    .for_each(|set| set.clone_from(&new_in_all));
            } else if used.values().any(PartitionSet::is_empty) {
                return BTreeMap::new();
            }
        }
        used.retain(|_, set| !set.is_empty());
        for (asset, set) in &used {
            if let Some(position) = self.assets.get_mut(asset) {
                position.unused -= set;
            }
        }
        used
    }
}

/// One evaluation, as its function is called.
struct Call<'a> {
    ports: &'a TriggerPorts,
    sensor: &'a SensorDefinition,
    trigger: &'a TriggerId,
    context: &'a PartitionContext,
}

impl Call<'_> {
    fn partition_keys(&self, asset: &AssetKey, set: &PartitionSet) -> Vec<PartitionKey> {
        let graph = self.ports.definitions.graph();
        let definition = graph.id(asset).and_then(|id| graph.partitions(id));
        definition.map_or_else(Vec::new, |definition| {
            definition.keys(set, self.context).collect()
        })
    }

    /// Calls the sensor's function; a sensor without one requests all updated partitions.
    async fn call_function(
        &self,
        used: &BTreeMap<AssetKey, PartitionSet>,
        cursor: Option<String>,
    ) -> Result<(SensorResult, Option<String>), AssetError> {
        let keys: BTreeMap<AssetKey, Vec<PartitionKey>> = used
            .iter()
            .map(|(asset, set)| (asset.clone(), self.partition_keys(asset, set)))
            .collect();
        let definition = target_partitions(self.ports, self.sensor)
            .map_err(|error| AssetError::terminal(error.to_string()))?;
        let Some(function) = self.sensor.function else {
            let all = keys.into_values().flatten().collect();
            let requests = split_partitions(all, definition, self.context);
            return Ok((SensorResult::requests(requests), cursor));
        };
        let context = SensorContext::builder()
            .sensor(self.sensor.name().as_str())
            .environment(&self.ports.environment)
            .now(self.context.now)
            .event(SensorEvent::Assets(keys))
            .cursor(cursor);
        match try_sensor(function, &context, self.ports, definition, self.context).await? {
            (answer, _) if answer.requests.len() > MAX_RUNS_PER_TICK => Err(AssetError::retryable(
                describe_too_many(answer.requests.len()),
            )),
            answered => Ok(answered),
        }
    }

    /// Builds the runs of an answer. `name` identifies the updates, for requests without a run key.
    fn new_runs(&self, answer: &SensorResult, name: &str) -> Result<Vec<NewRun>, TriggerError> {
        let target = self.sensor.spec.target.as_ref().map(ToString::to_string);
        let definition: Option<&PartitionsDefinition> = target_partitions(self.ports, self.sensor)?;
        let runs = answer.requests.iter().enumerate().map(|(index, request)| {
            let run_key = request.run_key.clone();
            let key = run_key.unwrap_or_else(|| format!("updates:{name}#{index}"));
            let text = keys_text(definition, &request.partitions, self.context);
            new_run(
                self.ports,
                self.trigger,
                target.clone(),
                request,
                &key,
                text,
                self.context.now,
            )
        });
        Ok(runs.collect())
    }
}

/// Requests partitions in one run, or in several where one would be too large a record.
fn split_partitions(
    partitions: BTreeSet<PartitionKey>,
    definition: Option<&PartitionsDefinition>,
    context: &PartitionContext,
) -> Vec<RunRequest> {
    let text = keys_text(definition, &partitions, context);
    let bytes = text.map_or(0, |text| text.len());
    if partitions.len() < 2 || bytes <= KEY_BYTES_PER_RUN {
        return vec![RunRequest {
            partitions,
            ..RunRequest::default()
        }];
    }
    let (mut first, mut second) = (partitions, BTreeSet::new());
    if let Some(middle) = first.iter().nth(first.len() / 2).cloned() {
        second = first.split_off(&middle);
    }
    let mut requests = split_partitions(first, definition, context);
    requests.extend(split_partitions(second, definition, context));
    requests
}
