//! What the functions of sensors and schedules can ask.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use chrono::{DateTime, Utc};
use precip_core::{key::AssetKey, partitions::PartitionKey, trigger::ObjectEvent};

use crate::{asset::Asset, state::Run};

/// What a sensor is called for.
#[derive(Debug, Clone, PartialEq)]
pub enum SensorEvent {
    /// Something happened to an object.
    Object(ObjectEvent),
    /// Watched assets have new materializations: the new partitions of each, none of them for an
    /// unpartitioned asset.
    Assets(BTreeMap<AssetKey, Vec<PartitionKey>>),
    /// A run ended.
    Run(Box<Run>),
}

/// What the function of a sensor can ask, and where it leaves its cursor. As Dagster's
/// `SensorEvaluationContext`. A unit test makes one by hand:
///
/// ```
/// use precip_engine::trigger::SensorContext;
///
/// let context = SensorContext::builder().object_key("orders/2024-01-31.csv").build();
/// assert_eq!(context.object()?.key, "orders/2024-01-31.csv");
/// # Ok::<(), precip_engine::trigger::WrongEvent>(())
/// ```
#[derive(Debug, Clone)]
pub struct SensorContext(Arc<Call>);

#[derive(Debug)]
struct Call {
    sensor: String,
    environment: String,
    now: DateTime<Utc>,
    event: SensorEvent,
    values: BTreeMap<String, String>,
    cursor: Mutex<Option<String>>,
}

/// The context was asked for another event than the sensor waits for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this sensor is called for {given}, and {wanted} is asked for")]
pub struct WrongEvent {
    given: &'static str,
    wanted: String,
}

impl SensorContext {
    /// A context made by hand or by an evaluation.
    pub fn builder() -> SensorContextBuilder {
        SensorContextBuilder::default()
    }

    /// The sensor's name.
    pub fn sensor(&self) -> &str {
        &self.0.sensor
    }

    /// The name of the environment.
    pub fn environment(&self) -> &str {
        &self.0.environment
    }

    /// The moment of the evaluation.
    pub fn now(&self) -> DateTime<Utc> {
        self.0.now
    }

    /// What the sensor is called for.
    pub fn event(&self) -> &SensorEvent {
        &self.0.event
    }

    fn wrong(&self, wanted: impl Into<String>) -> WrongEvent {
        WrongEvent {
            given: match self.0.event {
                SensorEvent::Object(_) => "an object",
                SensorEvent::Assets(_) => "new materializations",
                SensorEvent::Run(_) => "the end of a run",
            },
            wanted: wanted.into(),
        }
    }

    /// The object that the sensor is called for.
    ///
    /// # Errors
    /// [`WrongEvent`] in a sensor of assets or runs.
    pub fn object(&self) -> Result<&ObjectEvent, WrongEvent> {
        match &self.0.event {
            SensorEvent::Object(object) => Ok(object),
            _ => Err(self.wrong("an object")),
        }
    }

    /// What a name in the sensor's `key` stands for in the object's key.
    ///
    /// # Errors
    /// [`WrongEvent`] when the sensor's `key` has no such name.
    pub fn value(&self, name: &str) -> Result<&str, WrongEvent> {
        let value = self.0.values.get(name);
        value
            .map(String::as_str)
            .ok_or_else(|| self.wrong(format!("`{name}` out of its key")))
    }

    /// The new partitions of a watched asset; none of them for an unpartitioned asset, and for one
    /// that has no new materialization.
    ///
    /// # Errors
    /// [`WrongEvent`] in a sensor of objects or runs.
    pub fn materialized<A: Asset>(&self) -> Result<&[PartitionKey], WrongEvent> {
        match &self.0.event {
            SensorEvent::Assets(assets) => Ok(assets.get(&A::key()).map_or(&[], Vec::as_slice)),
            _ => Err(self.wrong("new materializations")),
        }
    }

    /// Whether a watched asset has a new materialization.
    pub fn is_new<A: Asset>(&self) -> bool {
        matches!(&self.0.event, SensorEvent::Assets(assets) if assets.contains_key(&A::key()))
    }

    /// The partitions that are new in every watched asset.
    ///
    /// # Errors
    /// [`WrongEvent`] in a sensor of objects or runs.
    pub fn new_in_all(&self) -> Result<Vec<PartitionKey>, WrongEvent> {
        let SensorEvent::Assets(assets) = &self.0.event else {
            return Err(self.wrong("new materializations"));
        };
        let mut each = assets.values();
        let first = each.next().cloned().unwrap_or_default();
        let others: Vec<&Vec<PartitionKey>> = each.collect();
        let in_all = |key: &PartitionKey| others.iter().all(|keys| keys.contains(key));
        Ok(first.into_iter().filter(in_all).collect())
    }

    /// The run that ended.
    ///
    /// # Errors
    /// [`WrongEvent`] in a sensor of objects or assets.
    pub fn run(&self) -> Result<&Run, WrongEvent> {
        match &self.0.event {
            SensorEvent::Run(run) => Ok(run),
            _ => Err(self.wrong("a run")),
        }
    }

    /// The function's own cursor: what it left the last time. It is kept with what the function asks
    /// for, or not at all.
    pub fn cursor(&self) -> Option<String> {
        let cursor = self.0.cursor.lock();
        cursor.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Leaves a cursor for the next time. As Dagster's `update_cursor`.
    pub fn update_cursor(&self, cursor: impl Into<String>) {
        let mut own = self.0.cursor.lock().unwrap_or_else(PoisonError::into_inner);
        *own = Some(cursor.into());
    }
}

/// Makes a [`SensorContext`].
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
    /// The sensor's name.
    #[must_use]
    pub fn sensor(mut self, name: impl Into<String>) -> Self {
        self.sensor = name.into();
        self
    }

    /// The name of the environment.
    #[must_use]
    pub fn environment(mut self, name: impl Into<String>) -> Self {
        self.environment = name.into();
        self
    }

    /// The moment.
    #[must_use]
    pub fn now(mut self, now: DateTime<Utc>) -> Self {
        self.now = now;
        self
    }

    /// What the sensor is called for.
    #[must_use]
    pub fn event(mut self, event: SensorEvent) -> Self {
        self.event = event;
        self
    }

    /// An object that was written, by its key.
    #[must_use]
    pub fn object_key(self, key: impl Into<String>) -> Self {
        let event = ObjectEvent::created("bucket", key, self.now);
        self.event(SensorEvent::Object(event))
    }

    /// New partitions of a watched asset.
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

    /// What a name in the sensor's `key` stands for.
    #[must_use]
    pub fn value(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.values.insert(name.into(), value.into());
        self
    }

    /// What the function left the last time.
    #[must_use]
    pub fn cursor(mut self, cursor: Option<String>) -> Self {
        self.cursor = cursor;
        self
    }

    /// The context.
    pub fn build(self) -> SensorContext {
        SensorContext(Arc::new(Call {
            sensor: self.sensor,
            environment: self.environment,
            now: self.now,
            event: self.event,
            values: self.values,
            cursor: Mutex::new(self.cursor),
        }))
    }
}

/// What the function of a schedule can ask. As Dagster's `ScheduleEvaluationContext`.
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
    /// A context made by hand or by an evaluation.
    pub fn builder() -> ScheduleContextBuilder {
        ScheduleContextBuilder {
            schedule: "schedule".to_owned(),
            environment: "local".to_owned(),
            scheduled_for: DateTime::UNIX_EPOCH,
            partitions: Vec::new(),
        }
    }

    /// The schedule's name.
    pub fn schedule(&self) -> &str {
        &self.0.schedule
    }

    /// The name of the environment.
    pub fn environment(&self) -> &str {
        &self.0.environment
    }

    /// The tick: the moment it was scheduled for, which may be past. As Dagster's
    /// `scheduled_execution_time`.
    pub fn scheduled_for(&self) -> DateTime<Utc> {
        self.0.scheduled_for
    }

    /// The partitions of the target that the tick is about: those that had closed last by then.
    pub fn partitions(&self) -> &[PartitionKey] {
        &self.0.partitions
    }
}

/// Makes a [`ScheduleContext`].
#[derive(Debug, Clone)]
pub struct ScheduleContextBuilder {
    schedule: String,
    environment: String,
    scheduled_for: DateTime<Utc>,
    partitions: Vec<PartitionKey>,
}

impl ScheduleContextBuilder {
    /// The schedule's name.
    #[must_use]
    pub fn schedule(mut self, name: impl Into<String>) -> Self {
        self.schedule = name.into();
        self
    }

    /// The name of the environment.
    #[must_use]
    pub fn environment(mut self, name: impl Into<String>) -> Self {
        self.environment = name.into();
        self
    }

    /// The tick.
    #[must_use]
    pub fn scheduled_for(mut self, tick: DateTime<Utc>) -> Self {
        self.scheduled_for = tick;
        self
    }

    /// A partition that the tick is about.
    #[must_use]
    pub fn partition(mut self, key: impl Into<PartitionKey>) -> Self {
        self.partitions.push(key.into());
        self
    }

    /// Partitions that the tick is about.
    #[must_use]
    pub fn partitions(mut self, keys: impl IntoIterator<Item = PartitionKey>) -> Self {
        self.partitions.extend(keys);
        self
    }

    /// The context.
    pub fn build(self) -> ScheduleContext {
        ScheduleContext(Arc::new(self))
    }
}
