//! Evaluation of a sensor for many events, in ticks that each fit into one record.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet, HashMap},
};

use precip_core::{
    partitions::{PartitionContext, PartitionKey},
    trigger::{ObjectEvent, SensorSource},
};

use super::{Decision, ObjectOptions, SensorOutcome, batch::Batch, evaluation::EventEvaluator};
use crate::{
    state::{CreatedRun, StateErrorKind, TriggerId, TriggerState},
    trigger::{
        RunRequest, SensorDefinition, TriggerError, TriggerPorts, control::sensor_id,
        memory::Memory,
    },
};

/// Number of events that are decided in one tick.
const EVENTS_PER_TICK: usize = 4_000;

/// Evaluates a sensor of objects for some events, requests runs and launches them. Events that
/// request the same job become one run of many partitions; more than
/// [`MAX_RUNS_PER_TICK`](crate::state::MAX_RUNS_PER_TICK) different runs are requested in several
/// ticks.
///
/// # Errors
/// [`TriggerError`]: some of the events may have been handled; pass all of them again.
pub async fn evaluate_objects(
    ports: &TriggerPorts,
    sensor: &SensorDefinition,
    events: &[ObjectEvent],
    options: ObjectOptions<'_>,
) -> Result<SensorOutcome, TriggerError> {
    evaluate_recorded(ports, sensor, events, options, Refusals::Recorded).await
}

/// The place where refusals of objects are noted if nothing else changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::trigger) enum Refusals {
    /// In a tick of their own, unless the last tick says the same.
    Recorded,
    /// In the tick of the sweep that found the objects.
    LeftToSweep,
}

/// Evaluates as [`evaluate_objects`].
pub(in crate::trigger) async fn evaluate_recorded(
    ports: &TriggerPorts,
    sensor: &SensorDefinition,
    events: &[ObjectEvent],
    options: ObjectOptions<'_>,
    refusals: Refusals,
) -> Result<SensorOutcome, TriggerError> {
    let trigger = sensor_id(sensor.name());
    let mut outcome = SensorOutcome {
        running: true,
        decisions: vec![Decision::Duplicate; events.len()],
        runs: Vec::new(),
    };
    // Indices of the undecided events, in the order of their changes as far as it is known.
    let mut undecided: Vec<usize> = (0..events.len()).collect();
    undecided.sort_by(|a, b| compare_events(&events[*a], &events[*b]));
    let mut most = EVENTS_PER_TICK;
    let mut attempt = 0;
    loop {
        let state = ports.launched_state(&trigger).await?;
        if !sensor.spec.default_status.is_on(state.enabled) {
            let reason = "the sensor is stopped".to_owned();
            outcome.running = false;
            for index in undecided {
                outcome.decisions[index] = Decision::Ignored {
                    reason: reason.clone(),
                };
            }
            return Ok(outcome);
        }
        let portion: Vec<usize> = undecided.iter().copied().take(most).collect();
        let given: Vec<&ObjectEvent> = portion.iter().map(|index| &events[*index]).collect();
        let mut batch = decide_events(ports, sensor, &trigger, &state, &given, options).await?;
        let has_news = refusals == Refusals::Recorded && batch.has_new_refusal(&state);
        let recorded = if batch.changed || has_news {
            record_batch(ports, sensor, &trigger, &state, &batch).await
        } else {
            Ok(Some(Vec::new()))
        };
        let runs = match recorded {
            Ok(Some(runs)) => runs,
            Ok(None) => {
                ports.back_off(&trigger, &mut attempt).await?;
                continue;
            }
            // The store refuses what an event asks for. The others must not fail with it, so the portion is divided
            // until the event is alone.
            Err(error) if is_refusal(&error) && portion.len() > 1 => {
                most = portion.len() / 2;
                continue;
            }
            Err(error) if is_refusal(&error) && portion.len() == 1 => {
                let memory = Memory::from_state(&trigger, &state)?;
                batch = Batch::new(memory, batch.context, batch.fit)
                    .with_failed(given[0], &error.to_string());
                let advance = batch.to_advance(ports, sensor, &trigger, &state);
                let recorded = match batch.has_new_refusal(&state) {
                    true => ports.advance_and_launch(&trigger, advance).await?,
                    false => Some(Vec::new()),
                };
                if recorded.is_none() {
                    ports.back_off(&trigger, &mut attempt).await?;
                    continue;
                }
                Vec::new()
            }
            Err(error) => return Err(error),
        };
        attempt = 0;
        most = most.saturating_mul(2).min(EVENTS_PER_TICK);
        // A batch may decide fewer events than it was given: the rest exceeds one tick.
        let decided = batch.decisions.len();
        batch.assign_runs(&runs);
        for (index, decision) in portion.iter().zip(batch.decisions) {
            outcome.decisions[*index] = decision;
        }
        outcome.runs.extend(runs);
        undecided.drain(..decided);
        if undecided.is_empty() {
            return Ok(outcome);
        }
    }
}

/// Adds the keys of a batch, records its tick and launches its runs; `None` when a concurrent evaluation was faster.
async fn record_batch(
    ports: &TriggerPorts,
    sensor: &SensorDefinition,
    trigger: &TriggerId,
    state: &TriggerState,
    batch: &Batch,
) -> Result<Option<Vec<CreatedRun>>, TriggerError> {
    // Before the runs: a run's partitions must exist when it is planned. Added keys stay if the tick is refused, and
    // the next attempt adds them again.
    add_partitions(ports, &batch.added).await?;
    let advance = batch.to_advance(ports, sensor, trigger, state);
    ports.advance_and_launch(trigger, advance).await
}

/// Returns whether the store refuses the content of a tick, so that recording it again cannot succeed.
fn is_refusal(error: &TriggerError) -> bool {
    let kind = match error {
        TriggerError::State(error) => Some(error.kind()),
        _ => None,
    };
    matches!(
        kind,
        Some(StateErrorKind::TooLarge | StateErrorKind::Conflict)
    )
}

/// Returns what [`evaluate_objects`] would decide and request for each event on its own, without
/// changing anything. The sensor's function is called.
///
/// # Errors
/// As for [`evaluate_objects`].
pub async fn preview_objects(
    ports: &TriggerPorts,
    sensor: &SensorDefinition,
    events: &[ObjectEvent],
    options: ObjectOptions<'_>,
) -> Result<Vec<(Decision, Vec<RunRequest>)>, TriggerError> {
    let trigger = sensor_id(sensor.name());
    let state = ports.state.trigger_state(&trigger).await?;
    let mut previews = Vec::new();
    for event in events {
        let batch = decide_events(ports, sensor, &trigger, &state, &[event], options).await?;
        // Groups without an index are of events that had waited, not of this one.
        let requested = batch
            .groups
            .into_iter()
            .filter(|group| !group.events.is_empty());
        let requests = requested.map(|group| group.request).collect();
        let decision = batch.decisions.into_iter().next();
        previews.extend(decision.map(|decision| (decision, requests)));
    }
    Ok(previews)
}

/// Compares events by time, then by key, then by the order of changes of one object.
fn compare_events(one: &ObjectEvent, other: &ObjectEvent) -> Ordering {
    (one.at, &one.key)
        .cmp(&(other.at, &other.key))
        .then_with(|| {
            if one.is_after(other) {
                Ordering::Greater
            } else if other.is_after(one) {
                Ordering::Less
            } else {
                Ordering::Equal
            }
        })
}

/// Decides events from one state of the trigger: first those that had waited, then the given ones, as
/// many as fit into one tick.
async fn decide_events(
    ports: &TriggerPorts,
    sensor: &SensorDefinition,
    trigger: &TriggerId,
    state: &TriggerState,
    events: &[&ObjectEvent],
    options: ObjectOptions<'_>,
) -> Result<Batch, TriggerError> {
    let memory = Memory::from_state(trigger, state)?;
    let context = ports.current_context().await?;
    let objects = match &sensor.spec.source {
        SensorSource::Objects(objects) => objects,
        SensorSource::Assets { .. } | SensorSource::Runs { .. } => {
            return Ok(ignore_events(memory, context, events.len()));
        }
    };
    let fit = sensor.spec.fit_template(ports.definitions.graph())?;
    let mut batch = Batch::new(memory, context, fit);
    let evaluator = EventEvaluator {
        ports,
        sensor,
        objects,
        options,
        newest: newest_by_key(events),
    };
    for event in batch.memory.take_waiting() {
        let evaluation = evaluator.evaluate_event(&batch, &event, true).await?;
        if matches!(evaluation.decision, Decision::Waits { .. }) {
            batch.memory.add_waiting(event);
            continue;
        }
        batch.add_evaluation(evaluation, &event, None);
    }
    for (index, event) in events.iter().enumerate() {
        let evaluation = evaluator.evaluate_event(&batch, event, false).await?;
        if !batch.has_room(&evaluation.requests) {
            break;
        }
        let decision = evaluation.decision.clone();
        batch.add_evaluation(evaluation, event, Some(index));
        batch.decisions.push(decision);
    }
    Ok(batch)
}

/// Returns the batch of a sensor that does not watch objects.
fn ignore_events(memory: Memory, context: PartitionContext, events: usize) -> Batch {
    let ignored = Decision::Ignored {
        reason: "the sensor does not watch objects".to_owned(),
    };
    let mut batch = Batch::new(memory, context, None);
    batch.decisions = vec![ignored; events];
    batch
}

/// Returns the latest event of each object key.
fn newest_by_key<'a>(events: &[&'a ObjectEvent]) -> HashMap<&'a str, &'a ObjectEvent> {
    let mut newest: HashMap<&str, &ObjectEvent> = HashMap::new();
    for event in events {
        let known = newest.entry(&event.key).or_insert(event);
        if event.is_after(known) {
            *known = event;
        }
    }
    newest
}

async fn add_partitions(
    ports: &TriggerPorts,
    added: &BTreeMap<String, BTreeSet<PartitionKey>>,
) -> Result<(), TriggerError> {
    for (set, keys) in added {
        let keys: Vec<PartitionKey> = keys.iter().cloned().collect();
        ports.state.add_dynamic_keys(set, &keys).await?;
    }
    Ok(())
}
