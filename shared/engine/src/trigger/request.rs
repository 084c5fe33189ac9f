//! The results of the functions of sensors and schedules.

use std::collections::{BTreeMap, BTreeSet};

use precip_core::partitions::PartitionKey;

use crate::asset::AssetError;

/// A request for a run, made by a sensor or schedule. As Dagster's `RunRequest`.
///
/// ```
/// use precip_engine::trigger::RunRequest;
///
/// let request = RunRequest::partition("2024-01-31")
///     .run_key("orders/2024-01-31.csv")
///     .tag("source", "upload");
/// assert_eq!(request.partitions.len(), 1);
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RunRequest {
    /// The key of the request: a sensor or schedule never starts two runs of one key. Without a key
    /// the event is the key, and requests of one evaluation that differ in nothing but their
    /// partitions become one run.
    pub run_key: Option<String>,
    /// The partitions; empty for unpartitioned assets.
    pub partitions: BTreeSet<PartitionKey>,
    /// The run config: an object with a value for each op that takes config, by the op's name.
    pub config: serde_json::Value,
    /// The run's tags.
    pub tags: BTreeMap<String, String>,
    /// The selected assets, if they are not the declared target.
    pub selection: Option<String>,
}

impl RunRequest {
    /// Requests a run of the target, without partitions.
    pub fn new() -> Self {
        Self::default()
    }

    /// Requests a run of one partition.
    pub fn partition(key: impl Into<PartitionKey>) -> Self {
        Self::partitions([key])
    }

    /// Requests a run of several partitions.
    pub fn partitions<K: Into<PartitionKey>>(keys: impl IntoIterator<Item = K>) -> Self {
        Self {
            partitions: keys.into_iter().map(Into::into).collect(),
            ..Self::default()
        }
    }

    /// Sets the run key, which makes repeated requests one.
    #[must_use]
    pub fn run_key(self, key: impl Into<String>) -> Self {
        Self {
            run_key: Some(key.into()),
            ..self
        }
    }

    /// Sets the run config.
    #[must_use]
    pub fn config(self, config: serde_json::Value) -> Self {
        Self { config, ..self }
    }

    /// Adds a tag to the run.
    #[must_use]
    pub fn tag(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.tags.insert(key.into(), value.into());
        self
    }

    /// Selects other assets than the declared target.
    #[must_use]
    pub fn select(self, selection: impl Into<String>) -> Self {
        Self {
            selection: Some(selection.into()),
            ..self
        }
    }
}

/// The reason why nothing is requested. As Dagster's `SkipReason`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skip(pub String);

impl Skip {
    /// Skips with a reason.
    pub fn because(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}

/// The full result of a function. As Dagster's `SensorResult`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SensorResult {
    /// The requested runs.
    pub requests: Vec<RunRequest>,
    /// The reason why nothing is requested.
    pub skip: Option<String>,
    /// Keys to be added to dynamic sets before the runs start: set and key.
    pub added_partitions: Vec<(String, PartitionKey)>,
}

impl SensorResult {
    /// Requests runs.
    pub fn requests(requests: impl IntoIterator<Item = RunRequest>) -> Self {
        Self {
            requests: requests.into_iter().collect(),
            ..Self::default()
        }
    }

    /// Adds a key to a dynamic set before the runs start. An existing key stays as it is.
    #[must_use]
    pub fn add_partition(mut self, set: impl Into<String>, key: impl Into<PartitionKey>) -> Self {
        self.added_partitions.push((set.into(), key.into()));
        self
    }
}

/// A return value of the function of a sensor or schedule: a [`RunRequest`], an `Option` or a `Vec` of
/// them, a [`Skip`], a `Result<RunRequest, Skip>`, a [`SensorResult`], `()`, or a `Result` of any of
/// these.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is nothing that a sensor or schedule can answer",
    label = "neither a `RunRequest` nor a `Skip`",
    note = "return `RunRequest`, `Option<RunRequest>`, `Vec<RunRequest>`, `Skip`, `SensorResult`, or \
            a `Result` of one of them"
)]
pub trait IntoSensorResult {
    /// Converts the value to a result.
    ///
    /// # Errors
    /// The error of the function.
    fn into_sensor_result(self) -> Result<SensorResult, AssetError>;
}

impl IntoSensorResult for SensorResult {
    fn into_sensor_result(self) -> Result<SensorResult, AssetError> {
        Ok(self)
    }
}

impl IntoSensorResult for () {
    fn into_sensor_result(self) -> Result<SensorResult, AssetError> {
        Ok(SensorResult::default())
    }
}

impl IntoSensorResult for RunRequest {
    fn into_sensor_result(self) -> Result<SensorResult, AssetError> {
        Ok(SensorResult::requests([self]))
    }
}

impl IntoSensorResult for Option<RunRequest> {
    fn into_sensor_result(self) -> Result<SensorResult, AssetError> {
        Ok(SensorResult::requests(self))
    }
}

impl IntoSensorResult for Vec<RunRequest> {
    fn into_sensor_result(self) -> Result<SensorResult, AssetError> {
        Ok(SensorResult::requests(self))
    }
}

impl IntoSensorResult for Skip {
    fn into_sensor_result(self) -> Result<SensorResult, AssetError> {
        Ok(SensorResult {
            skip: Some(self.0),
            ..SensorResult::default()
        })
    }
}

impl<T: IntoSensorResult, E: IntoSensorError> IntoSensorResult for Result<T, E> {
    fn into_sensor_result(self) -> Result<SensorResult, AssetError> {
        match self {
            Ok(answer) => answer.into_sensor_result(),
            Err(error) => error.into_sensor_error(),
        }
    }
}

/// An `Err` value of a function's result: an error, or a [`Skip`] with which `?` leaves the function.
pub trait IntoSensorError {
    /// Converts the value to a result.
    ///
    /// # Errors
    /// The error, unless the value is a [`Skip`].
    fn into_sensor_error(self) -> Result<SensorResult, AssetError>;
}

impl IntoSensorError for AssetError {
    fn into_sensor_error(self) -> Result<SensorResult, AssetError> {
        Err(self)
    }
}

impl IntoSensorError for Skip {
    fn into_sensor_error(self) -> Result<SensorResult, AssetError> {
        self.into_sensor_result()
    }
}
