//! [`sweep`]: finding what an event missed.

use chrono::{DateTime, TimeDelta, Utc};
use precip_core::trigger::{ObjectChange, ObjectEvent, SensorSource};

use super::{
    Decision, ObjectListing, ObjectOptions, SensorDefinition, TriggerError, TriggerPorts,
    control::sensor_id, evaluate_objects, listing::ListedObject, memory::Memory,
};
use crate::state::{Advance, CreatedRun, TickRequest, TriggerId};

/// How far a sweep looks back behind the last one, for clocks that differ and uploads in parts, whose
/// time is that of their beginning. (S3 gives up an upload in parts by a lifecycle rule only; a day
/// is longer than nearly all take.)
const OVERLAP: TimeDelta = TimeDelta::days(1);

/// How a sweep looks.
#[derive(Debug, Clone, Copy)]
pub struct SweepOptions {
    /// Objects that are younger are left to their events, which may be on their way.
    pub grace: TimeDelta,
}

impl Default for SweepOptions {
    /// Five minutes.
    fn default() -> Self {
        Self {
            grace: TimeDelta::minutes(5),
        }
    }
}

/// What a sweep found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Swept {
    /// Whether the sensor is on; one that is stopped is not swept.
    pub running: bool,
    /// How many objects were looked at.
    pub listed: u64,
    /// How many had been missed.
    pub missed: u64,
    /// The runs that were requested for them, new or not.
    pub runs: Vec<CreatedRun>,
    /// What went wrong with some: they are looked at again.
    pub failed: Vec<String>,
}

/// Lists the objects of a sensor's bucket and evaluates those that no event told of: which it has not
/// handled and whose partitions were not made since they were written. The first sweep of a sensor
/// looks at every object, a later one at what was written since the one before.
///
/// # Errors
/// [`TriggerError`]: what was requested by then stays; sweep again.
pub async fn sweep(
    ports: &TriggerPorts,
    sensor: &SensorDefinition,
    bucket: &str,
    listing: &dyn ObjectListing,
    options: SweepOptions,
) -> Result<Swept, TriggerError> {
    let trigger = sensor_id(sensor.name());
    let SensorSource::Objects(objects) = &sensor.spec.source else {
        return Ok(Swept::default());
    };
    let state = ports.settled(&trigger).await?;
    if !sensor.spec.default_status.is_on(state.enabled) {
        return Ok(Swept::default());
    }
    let memory = Memory::of(&trigger, &state)?;
    let until = ports.clock.now() - options.grace;
    let since = memory.swept.map(|swept| swept - OVERLAP);
    let template = objects.filter.template();
    let mut swept = Swept {
        running: true,
        ..Swept::default()
    };
    let mut after: Option<String> = None;
    loop {
        let page = listing
            .list(bucket, template.prefix(), after.as_deref())
            .await;
        let page = page.map_err(|message| TriggerError::Listing {
            bucket: bucket.to_owned(),
            message,
        })?;
        swept.listed += page.objects.len() as u64;
        let looked_at = page.objects.into_iter().filter(|object| {
            object.last_modified <= until
                && since.is_none_or(|since| object.last_modified >= since)
                && objects.takes(&object.key, Some(object.size))
        });
        let events: Vec<ObjectEvent> = looked_at.map(|object| event(bucket, object)).collect();
        if !events.is_empty() {
            evaluate(ports, sensor, bucket, &events, &mut swept).await?;
        }
        match page.next {
            Some(next) => after = Some(next),
            None => break,
        }
    }
    // Those that wait may be due by now, whether or not anything was missed.
    evaluate(ports, sensor, bucket, &[], &mut swept).await?;
    if swept.failed.is_empty() {
        put_down(ports, &trigger, until, &swept).await?;
    }
    Ok(swept)
}

async fn evaluate(
    ports: &TriggerPorts,
    sensor: &SensorDefinition,
    bucket: &str,
    events: &[ObjectEvent],
    swept: &mut Swept,
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

fn event(bucket: &str, object: ListedObject) -> ObjectEvent {
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

/// Puts down how far the sweep came. When somebody else is at it meanwhile, the next sweep looks
/// back a little further: that does no harm.
async fn put_down(
    ports: &TriggerPorts,
    trigger: &TriggerId,
    until: DateTime<Utc>,
    swept: &Swept,
) -> Result<(), TriggerError> {
    let state = ports.settled(trigger).await?;
    let mut memory = Memory::of(trigger, &state)?;
    memory.swept = memory.swept.max(Some(until));
    let now = ports.clock.now();
    let advance = Advance {
        revision: state.revision,
        cursor: Some(memory.write(now)),
        at: now,
        scheduled_for: None,
        request: TickRequest::Skip {
            reason: Some(format!(
                "swept {} objects: {} had been missed",
                swept.listed, swept.missed
            )),
        },
        note: None,
    };
    ports.advance(trigger, advance).await?;
    Ok(())
}
