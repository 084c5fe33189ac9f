//! [`sweep_bucket`]: finding the objects whose events were missed.

use chrono::{DateTime, TimeDelta, Utc};
use precip_core::trigger::{ObjectChange, ObjectEvent, SensorSource};

use super::{
    Decision, ObjectListing, ObjectOptions, SensorDefinition, TriggerError, TriggerPorts,
    control::sensor_id, evaluate_objects, listing::ListedObject, memory::Memory,
};
use crate::state::{Advance, CreatedRun, TickRequest, TriggerId};

/// The overlap of a sweep with the one before, for clocks that differ and for multipart uploads,
/// whose time is that of their start. (S3 aborts a multipart upload by a lifecycle rule only; nearly
/// all take less than a day.)
const OVERLAP: TimeDelta = TimeDelta::days(1);

/// Options of a sweep.
#[derive(Debug, Clone, Copy)]
pub struct SweepOptions {
    /// The age below which objects are left to their events, which may still arrive.
    pub grace: TimeDelta,
}

impl Default for SweepOptions {
    /// Leaves objects of the last five minutes to their events.
    fn default() -> Self {
        Self {
            grace: TimeDelta::minutes(5),
        }
    }
}

/// The outcome of a sweep.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SweepOutcome {
    /// True if the sensor is running. A stopped sensor is not swept.
    pub running: bool,
    /// Number of listed objects.
    pub listed: u64,
    /// Number of objects whose events had been missed.
    pub missed: u64,
    /// The runs that were requested for those; a repeated request returns the existing run.
    pub runs: Vec<CreatedRun>,
    /// Messages of objects whose evaluation failed. The next sweep evaluates them again.
    pub failed: Vec<String>,
}

/// Lists the objects of a sensor's bucket and evaluates those whose events were missed: objects that
/// were not handled and whose partitions were not materialized since they were written. The first
/// sweep of a sensor evaluates every object, a later one those written since the sweep before.
///
/// # Errors
/// [`TriggerError`]: runs that were requested before stay; sweep again.
pub async fn sweep_bucket(
    ports: &TriggerPorts,
    sensor: &SensorDefinition,
    bucket: &str,
    listing: &dyn ObjectListing,
    options: SweepOptions,
) -> Result<SweepOutcome, TriggerError> {
    let trigger = sensor_id(sensor.name());
    let objects = match &sensor.spec.source {
        SensorSource::Objects(objects) => objects,
        SensorSource::Assets { .. } | SensorSource::Runs { .. } => {
            return Ok(SweepOutcome::default());
        }
    };
    let state = ports.launched_state(&trigger).await?;
    if !sensor.spec.default_status.is_on(state.enabled) {
        return Ok(SweepOutcome::default());
    }
    let memory = Memory::from_state(&trigger, &state)?;
    let until = ports.clock.now() - options.grace;
    let since = memory.swept.map(|swept| swept - OVERLAP);
    let template = objects.filter.template();
    let mut swept = SweepOutcome {
        running: true,
        ..SweepOutcome::default()
    };
    let mut after: Option<String> = None;
    loop {
        let page = listing
            .list_objects(bucket, template.prefix(), after.as_deref())
            .await
            .map_err(|message| TriggerError::Listing {
                bucket: bucket.to_owned(),
                message,
            })?;
        swept.listed += page.objects.len() as u64;
        let candidates = page.objects.into_iter().filter(|object| {
            object.last_modified <= until
                && since.is_none_or(|since| object.last_modified >= since)
                && objects.accepts_object(&object.key, Some(object.size))
        });
        let events: Vec<ObjectEvent> = candidates
            .map(|object| created_event(bucket, object))
            .collect();
        if !events.is_empty() {
            evaluate_found(ports, sensor, bucket, &events, &mut swept).await?;
        }
        match page.next {
            Some(next) => after = Some(next),
            None => break,
        }
    }
    // Events that wait may be due by now, whether or not any event was missed.
    evaluate_found(ports, sensor, bucket, &[], &mut swept).await?;
    // The position stays after a failure: the next sweep lists the same objects again.
    if swept.failed.is_empty() {
        record_sweep(ports, &trigger, until, &swept).await?;
    }
    Ok(swept)
}

/// Evaluates the sensor for listed objects, and adds the outcome to that of the sweep.
async fn evaluate_found(
    ports: &TriggerPorts,
    sensor: &SensorDefinition,
    bucket: &str,
    events: &[ObjectEvent],
    swept: &mut SweepOutcome,
) -> Result<(), TriggerError> {
    let options = ObjectOptions {
        bucket: Some(bucket),
        found_by_sweep: true,
    };
    let outcome = evaluate_objects(ports, sensor, events, options).await?;
    for decision in &outcome.decisions {
        match decision {
            Decision::Requested { .. } => swept.missed += 1,
            Decision::Failed { message } => swept.failed.push(message.clone()),
            _ => {}
        }
    }
    swept.runs.extend(outcome.runs);
    Ok(())
}

/// Returns the event of an object that was found in a listing.
fn created_event(bucket: &str, object: ListedObject) -> ObjectEvent {
    ObjectEvent {
        bucket: bucket.to_owned(),
        key: object.key,
        change: ObjectChange::Created,
        at: object.last_modified,
        size: Some(object.size),
        etag: object.etag,
        version: None,
        sequencer: None,
    }
}

/// Records the position of the sweep. If a concurrent evaluation is faster, the position is not
/// recorded and the next sweep only looks back a little further.
async fn record_sweep(
    ports: &TriggerPorts,
    trigger: &TriggerId,
    until: DateTime<Utc>,
    swept: &SweepOutcome,
) -> Result<(), TriggerError> {
    let state = ports.launched_state(trigger).await?;
    let mut memory = Memory::from_state(trigger, &state)?;
    memory.swept = memory.swept.max(Some(until));
    let now = ports.clock.now();
    let advance = Advance {
        revision: state.revision,
        cursor: Some(memory.to_cursor(now)),
        at: now,
        scheduled_for: None,
        request: TickRequest::Skip {
            reason: Some(format!(
                "swept {} objects: the events of {} had been missed",
                swept.listed, swept.missed
            )),
        },
        note: None,
    };
    ports.advance_and_launch(trigger, advance).await?;
    Ok(())
}
