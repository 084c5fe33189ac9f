//! The contexts of the functions of sensors and schedules.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use chrono::{DateTime, Utc};
use precip_core::{key::AssetKey, partitions::PartitionKey, trigger::ObjectEvent};

use crate::{asset::Asset, state::Run};

/// The event that a sensor is called for.
#[derive(Debug, Clone, PartialEq)]
pub enum SensorEvent {
    /// An object was created or deleted.
    Object(ObjectEvent),
    /// Watched assets have new materializations: the new partitions of each, empty for an
    /// unpartitioned asset.
    Assets(BTreeMap<AssetKey, Vec<PartitionKey>>),
    /// A run ended.
    Run(Box<Run>),
}

/// The context of a sensor's function: its event, and its cursor. As Dagster's
/// `SensorEvaluationContext`. A unit test builds one by hand:
///
/// ```
/// use precip_engine::trigger::SensorContext;
///
/// let context = SensorContext::builder().object_key("orders/2024-01-31.csv").build();
/// assert_eq!(context.object()?.key, "orders/2024-01-31.csv");
/// # Ok::<(), precip_engine::trigger::WrongEvent>(())
/// ```
#[derive(Debug, Clone)]
pub struct SensorContext(Arc<SensorCall>);

#[derive(Debug)]
struct SensorCall {
    sensor: String,
    environment: String,
    now: DateTime<Utc>,
    event: SensorEvent,
    values: BTreeMap<String, String>,
    cursor: Mutex<Option<String>>,
}

/// A request for another event than the one the sensor is called for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this sensor is called for {given}, not for {wanted}")]
pub struct WrongEvent {
    given: &'static str,
    wanted: String,
}

impl SensorContext {
    /// Returns a builder with defaults that suit a unit test.
    pub fn builder() -> SensorContextBuilder {
        SensorContextBuilder::default()
    }

    /// Returns the sensor's name.
    pub fn sensor(&self) -> &str {
        &self.0.sensor
    }

    /// Returns the name of the environment.
    pub fn environment(&self) -> &str {
        &self.0.environment
    }

    /// Returns the time of the evaluation.
    pub fn now(&self) -> DateTime<Utc> {
        self.0.now
    }

    /// Returns the event that the sensor is called for.
    pub fn event(&self) -> &SensorEvent {
        &self.0.event
    }

    fn wrong_event(&self, wanted: impl Into<String>) -> WrongEvent {
        WrongEvent {
            given: match self.0.event {
                SensorEvent::Object(_) => "an object",
                SensorEvent::Assets(_) => "new materializations",
                SensorEvent::Run(_) => "the end of a run",
            },
            wanted: wanted.into(),
        }
    }

    /// Returns the object that the sensor is called for.
    ///
    /// # Errors
    /// [`WrongEvent`] in a sensor of assets or runs.
    pub fn object(&self) -> Result<&ObjectEvent, WrongEvent> {
        match &self.0.event {
            SensorEvent::Object(object) => Ok(object),
            _ => Err(self.wrong_event("an object")),
        }
    }

    /// Returns the part of the object's key that matches a name in the sensor's `key`.
    ///
    /// # Errors
    /// [`WrongEvent`] when the sensor's `key` has no such name.
    pub fn value(&self, name: &str) -> Result<&str, WrongEvent> {
        self.0
            .values
            .get(name)
            .map(String::as_str)
            .ok_or_else(|| self.wrong_event(format!("`{name}` of its key")))
    }

    /// Returns the new partitions of a watched asset; none for an unpartitioned asset and for one
    /// without a new materialization.
    ///
    /// # Errors
    /// [`WrongEvent`] in a sensor of objects or runs.
    pub fn materialized<A: Asset>(&self) -> Result<&[PartitionKey], WrongEvent> {
        match &self.0.event {
            SensorEvent::Assets(assets) => Ok(assets.get(&A::key()).map_or(&[], Vec::as_slice)),
            _ => Err(self.wrong_event("new materializations")),
        }
    }

    /// Returns whether a watched asset has a new materialization.
    pub fn is_new<A: Asset>(&self) -> bool {
        matches!(&self.0.event, SensorEvent::Assets(assets) if assets.contains_key(&A::key()))
    }

    /// Returns the partitions that are new in every watched asset.
    ///
    /// # Errors
    /// [`WrongEvent`] in a sensor of objects or runs.
    pub fn new_in_all(&self) -> Result<Vec<PartitionKey>, WrongEvent> {
        let SensorEvent::Assets(assets) = &self.0.event else {
            return Err(self.wrong_event("new materializations"));
        };
        // The map holds only assets with new partitions; the first decides the order of the keys.
        let mut each = assets.values();
        let first = each.next().cloned().unwrap_or_default();
        let others: Vec<&Vec<PartitionKey>> = each.collect();
        let in_all = |key: &PartitionKey| others.iter().all(|keys| keys.contains(key));
        Ok(first.into_iter().filter(in_all).collect())
    }

    /// Returns the run that ended.
    ///
    /// # Errors
    /// [`WrongEvent`] in a sensor of objects or assets.
    pub fn run(&self) -> Result<&Run, WrongEvent> {
        match &self.0.event {
            SensorEvent::Run(run) => Ok(run),
            _ => Err(self.wrong_event("a run")),
        }
    }

    /// Returns the function's own cursor, as its last call left it. It is recorded together with the
    /// runs that the function requests, or not at all.
    pub fn cursor(&self) -> Option<String> {
        let cursor = self.0.cursor.lock();
        cursor.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Sets the cursor for the next call. As Dagster's `update_cursor`.
    pub fn update_cursor(&self, cursor: impl Into<String>) {
        let mut own = self.0.cursor.lock().unwrap_or_else(PoisonError::into_inner);
        *own = Some(cursor.into());
    }
}

/// A builder of [`SensorContext`].
#[derive(Debug, Clone)]
pub struct SensorContextBuilder {
    sensor: String,
    environment: String,
    now: DateTime<Utc>,
    event: SensorEvent,
    values: BTreeMap<String, String>,
    cursor: Option<String>,
}

impl Default for SensorContextBuilder {
    fn default() -> Self {
        let now = DateTime::UNIX_EPOCH;
        Self {
            sensor: "sensor".to_owned(),
            environment: "local".to_owned(),
            now,
            event: SensorEvent::Object(ObjectEvent::created("bucket", "key", now)),
            values: BTreeMap::new(),
            cursor: None,
        }
    }
}

impl SensorContextBuilder {
    /// Sets the sensor's name.
    #[must_use]
    pub fn sensor(mut self, name: impl Into<String>) -> Self {
        self.sensor = name.into();
        self
    }

    /// Sets the name of the environment.
    #[must_use]
    pub fn environment(mut self, name: impl Into<String>) -> Self {
        self.environment = name.into();
        self
    }

    /// Sets the time of the evaluation.
    #[must_use]
    pub fn now(mut self, now: DateTime<Utc>) -> Self {
        self.now = now;
        self
    }

    /// Sets the event that the sensor is called for.
    #[must_use]
    pub fn event(mut self, event: SensorEvent) -> Self {
        self.event = event;
        self
    }

    /// Sets the event to an object that was written, by its key.
    #[must_use]
    pub fn object_key(self, key: impl Into<String>) -> Self {
        let event = ObjectEvent::created("bucket", key, self.now);
        self.event(SensorEvent::Object(event))
    }

    /// Adds new partitions of a watched asset to the event.
    #[must_use]
    pub fn materialized<A: Asset>(mut self, keys: impl IntoIterator<Item = &'static str>) -> Self {
        let mut assets = match self.event {
            SensorEvent::Assets(assets) => assets,
            _ => BTreeMap::new(),
        };
        assets.insert(A::key(), keys.into_iter().map(Into::into).collect());
        self.event = SensorEvent::Assets(assets);
        self
    }

    /// Sets the part of the object's key that matches a name in the sensor's `key`.
    #[must_use]
    pub fn value(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.values.insert(name.into(), value.into());
        self
    }

    /// Sets the cursor that the last call left.
    #[must_use]
    pub fn cursor(mut self, cursor: Option<String>) -> Self {
        self.cursor = cursor;
        self
    }

    /// Builds the context.
    pub fn build(self) -> SensorContext {
        SensorContext(Arc::new(SensorCall {
            sensor: self.sensor,
            environment: self.environment,
            now: self.now,
            event: self.event,
            values: self.values,
            cursor: Mutex::new(self.cursor),
        }))
    }
}

/// The context of a schedule's function. As Dagster's `ScheduleEvaluationContext`.
///
/// ```
/// use precip_engine::trigger::ScheduleContext;
///
/// let six = "2024-01-31T06:00:00Z".parse().expect("a moment");
/// let context = ScheduleContext::builder().scheduled_for(six).partition("2024-01-30").build();
/// assert_eq!(context.partitions()[0].as_str(), "2024-01-30");
/// ```
#[derive(Debug, Clone)]
pub struct ScheduleContext(Arc<ScheduleContextBuilder>);

impl ScheduleContext {
    /// Returns a builder with defaults that suit a unit test.
    pub fn builder() -> ScheduleContextBuilder {
        ScheduleContextBuilder {
            schedule: "schedule".to_owned(),
            environment: "local".to_owned(),
            scheduled_for: DateTime::UNIX_EPOCH,
            partitions: Vec::new(),
        }
    }

    /// Returns the schedule's name.
    pub fn schedule(&self) -> &str {
        &self.0.schedule
    }

    /// Returns the name of the environment.
    pub fn environment(&self) -> &str {
        &self.0.environment
    }

    /// Returns the tick: the time it was scheduled for, which may be past. As Dagster's
    /// `scheduled_execution_time`.
    pub fn scheduled_for(&self) -> DateTime<Utc> {
        self.0.scheduled_for
    }

    /// Returns the partitions of the target that belong to the tick: those of the windows that came
    /// to exist since the tick before, and, if the schedule has a cron expression, of those that have
    /// not ended yet. None if there is no such window.
    pub fn partitions(&self) -> &[PartitionKey] {
        &self.0.partitions
    }
}

/// A builder of [`ScheduleContext`].
#[derive(Debug, Clone)]
pub struct ScheduleContextBuilder {
    schedule: String,
    environment: String,
    scheduled_for: DateTime<Utc>,
    partitions: Vec<PartitionKey>,
}

impl ScheduleContextBuilder {
    /// Sets the schedule's name.
    #[must_use]
    pub fn schedule(mut self, name: impl Into<String>) -> Self {
        self.schedule = name.into();
        self
    }

    /// Sets the name of the environment.
    #[must_use]
    pub fn environment(mut self, name: impl Into<String>) -> Self {
        self.environment = name.into();
        self
    }

    /// Sets the tick.
    #[must_use]
    pub fn scheduled_for(mut self, tick: DateTime<Utc>) -> Self {
        self.scheduled_for = tick;
        self
    }

    /// Adds a partition that belongs to the tick.
    #[must_use]
    pub fn partition(mut self, key: impl Into<PartitionKey>) -> Self {
        self.partitions.push(key.into());
        self
    }

    /// Adds partitions that belong to the tick.
    #[must_use]
    pub fn partitions(mut self, keys: impl IntoIterator<Item = PartitionKey>) -> Self {
        self.partitions.extend(keys);
        self
    }

    /// Builds the context.
    pub fn build(self) -> ScheduleContext {
        ScheduleContext(Arc::new(self))
    }
}
