//! [`sweep_bucket`]: finding the objects whose events were missed.

use chrono::{DateTime, TimeDelta, Utc};
use precip_core::trigger::{ObjectEvent, SensorSource};

use super::{
    Decision, ObjectListing, ObjectOptions, SensorDefinition, TriggerError, TriggerPorts,
    control::sensor_id,
    listed::ListedObjects,
    listing::ListedObject,
    memory::Memory,
    objects::{Refusals, evaluate_recorded, show_key},
};
use crate::state::{Advance, CreatedRun, TickRequest, TriggerId, cut_text};

/// The overlap of a sweep with the one before where no record of the listed objects is kept, for clocks that differ
/// and for multipart uploads, whose time is that of their start. (S3 aborts a multipart upload by a lifecycle rule
/// only; nearly all take less than a day.)
const OVERLAP: TimeDelta = TimeDelta::days(1);

/// Number of messages that the tick of a sweep shows.
const SHOWN: usize = 5;

/// Maximum length of those messages, in bytes as JSON.
const SHOWN_BYTES: usize = 2_000;

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
    /// Messages of objects whose evaluation failed, each with the object's key. The next sweep evaluates them again.
    pub failed: Vec<String>,
    /// Number of objects that came too early for their partitions. The next sweep evaluates them again.
    pub early: u64,
    /// Messages of files that are no objects, each with the path. They are not evaluated.
    pub refused: Vec<String>,
}

/// Lists the objects of a sensor's bucket and evaluates those whose events were missed.
///
/// The first sweep of a sensor evaluates every object that was not handled and whose partition was not materialized
/// since the object was written. A later sweep evaluates every object that the sweep before did not list as it is
/// now, whatever its time: a file that is moved into a folder, or an object that is replicated, keeps an old time.
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
    let now = ports.clock.now();
    let until = now - options.grace;
    let template = objects.filter.template();
    let filter = format!("{bucket} {template} {}", objects.min_size);
    let before = match memory.swept {
        Some(_) => ListedObjects::read(ports, sensor.name(), &filter).await?,
        None => None,
    };
    let mut listed = ListedObjects::new(&filter);
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
        swept.refused.extend(page.refused);
        let (mut written, mut arrived) = (Found::default(), Found::default());
        for object in page.objects {
            // Events of new objects may still arrive. A time to come is of another clock, and says nothing.
            let is_new = object.last_modified > until && object.last_modified <= now;
            let is_known = before
                .as_ref()
                .is_some_and(|before| before.contains(&object));
            let is_accepted = objects.accepts_object(&object.key, Some(object.size));
            if !is_accepted || (is_new && !is_known) {
                continue;
            }
            match classify_object(&object, bucket, before.as_ref(), &memory) {
                Arrival::Known => listed.add(&object),
                Arrival::Written => {
                    let event = object.to_created_event(bucket);
                    written.push(object, event);
                }
                Arrival::Unannounced { after } => {
                    let event = ObjectEvent {
                        at: after,
                        ..object.to_created_event(bucket)
                    };
                    arrived.push(object, event);
                }
            }
        }
        for (found, found_by_sweep) in [(written, true), (arrived, false)] {
            if !found.events.is_empty() {
                let events = &found.events;
                let is_decided =
                    evaluate_found(ports, sensor, bucket, events, found_by_sweep, &mut swept)
                        .await?;
                // An undecided object is left out of the record, so that the next sweep evaluates it again.
                for (object, _) in found.objects.iter().zip(is_decided).filter(|(_, is)| *is) {
                    listed.add(object);
                }
            }
        }
        match page.next {
            Some(next) => after = Some(next),
            None => break,
        }
    }
    // Events that wait may be due by now, whether or not any event was missed.
    evaluate_found(ports, sensor, bucket, &[], true, &mut swept).await?;
    // The record is written first, so that a sweep that dies in between repeats nothing. Without a record, only the
    // position leads the next sweep back to undecided objects.
    let is_kept = listed.write(ports, sensor.name()).await?;
    let has_undecided = !swept.failed.is_empty() || swept.early > 0;
    let position = (is_kept || !has_undecided).then_some(until);
    record_sweep(ports, &trigger, position, &swept).await?;
    Ok(swept)
}

/// Objects of a page to evaluate.
#[derive(Default)]
struct Found {
    objects: Vec<ListedObject>,
    /// The event of each object.
    events: Vec<ObjectEvent>,
}

impl Found {
    fn push(&mut self, object: ListedObject, event: ObjectEvent) {
        self.objects.push(object);
        self.events.push(event);
    }
}

/// The way in which a listed object arrived.
#[derive(Debug, PartialEq, Eq)]
enum Arrival {
    /// An earlier sweep or an event handled it.
    Known,
    /// It was written at its time. Its event may have been handled.
    Written,
    /// It arrived without an event after the sweep before, at an unknown time that is not its own.
    Unannounced { after: DateTime<Utc> },
}

/// Decides how an object arrived, by the objects that the sweep before listed.
fn classify_object(
    object: &ListedObject,
    bucket: &str,
    before: Option<&ListedObjects>,
    memory: &Memory,
) -> Arrival {
    let Some(swept) = memory.swept else {
        return Arrival::Written;
    };
    let Some(before) = before else {
        // Without a record only the time can decide.
        return if object.last_modified >= swept - OVERLAP {
            Arrival::Written
        } else {
            Arrival::Known
        };
    };
    if before.contains(object) {
        return Arrival::Known;
    }
    if object.last_modified > swept {
        return Arrival::Written;
    }
    // Its time is before the last sweep, which did not see it: the time is not that of its arrival. An event may have
    // announced it since: of this very change, or at a time after that sweep (such as the end of an upload).
    let event = object.to_created_event(bucket);
    let is_announced = (memory.knows_event(&event) && !memory.has_newer(&event))
        || memory.has_same_or_newer(&ObjectEvent { at: swept, ..event });
    if is_announced {
        Arrival::Known
    } else {
        Arrival::Unannounced { after: swept }
    }
}

/// Evaluates the sensor for listed objects, and adds the outcome to that of the sweep. Returns whether each object is
/// decided; the others are to be evaluated again.
async fn evaluate_found(
    ports: &TriggerPorts,
    sensor: &SensorDefinition,
    bucket: &str,
    events: &[ObjectEvent],
    found_by_sweep: bool,
    swept: &mut SweepOutcome,
) -> Result<Vec<bool>, TriggerError> {
    let options = ObjectOptions {
        bucket: Some(bucket),
        found_by_sweep,
    };
    let outcome = evaluate_recorded(ports, sensor, events, options, Refusals::LeftToSweep).await?;
    let mut is_decided = Vec::with_capacity(events.len());
    for (event, decision) in events.iter().zip(&outcome.decisions) {
        is_decided.push(match decision {
            Decision::Failed { message } => {
                swept
                    .failed
                    .push(format!("{}: {message}", show_key(&event.key)));
                false
            }
            Decision::Early { .. } => {
                swept.early += 1;
                false
            }
            Decision::Requested { .. } => {
                swept.missed += 1;
                true
            }
            Decision::Duplicate
            | Decision::Superseded
            | Decision::Made
            | Decision::Waits { .. }
            | Decision::Ignored { .. }
            | Decision::Skipped { .. } => true,
        });
    }
    swept.runs.extend(outcome.runs);
    Ok(is_decided)
}

/// Records the sweep, and its position if the next one may begin there. If a concurrent evaluation is faster, the position is not
/// recorded and the next sweep only looks back a little further.
async fn record_sweep(
    ports: &TriggerPorts,
    trigger: &TriggerId,
    until: Option<DateTime<Utc>>,
    swept: &SweepOutcome,
) -> Result<(), TriggerError> {
    let state = ports.launched_state(trigger).await?;
    let mut memory = Memory::from_state(trigger, &state)?;
    memory.swept = memory.swept.max(until);
    let now = ports.clock.now();
    let advance = Advance {
        revision: state.revision,
        cursor: Some(memory.to_cursor(now)),
        at: now,
        scheduled_for: None,
        request: describe_sweep(swept),
        note: None,
    };
    ports.advance_and_launch(trigger, advance).await?;
    Ok(())
}

/// Describes a sweep as a tick, which counts as failed if an object did.
fn describe_sweep(swept: &SweepOutcome) -> TickRequest {
    let mut text = format!(
        "swept {} objects: the events of {} had been missed",
        swept.listed, swept.missed
    );
    if swept.early > 0 {
        text.push_str(&format!(
            "; {} wait for a later sweep, since their partitions do not exist yet",
            swept.early
        ));
    }
    for (messages, what) in [(&swept.failed, "failed"), (&swept.refused, "left out")] {
        if !messages.is_empty() {
            let first: Vec<&str> = messages.iter().take(SHOWN).map(String::as_str).collect();
            let shown = cut_text(&first.join("; "), SHOWN_BYTES, "");
            text.push_str(&format!("; {} {what}: {shown}", messages.len()));
        }
    }
    if swept.failed.is_empty() {
        TickRequest::Skip { reason: Some(text) }
    } else {
        TickRequest::Fail { message: text }
    }
}
