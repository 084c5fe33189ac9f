//! Calls of the functions of sensors and schedules.

use std::{
    fmt::Debug, future::Future, panic::AssertUnwindSafe, pin::Pin, sync::Arc, time::Duration,
};

use async_trait::async_trait;
use futures::FutureExt;
use precip_core::partitions::{DynamicPartitions, PartitionContext, PartitionsDefinition};

use super::{
    ScheduleContext, SensorContext, SensorContextBuilder, SensorResult, TriggerPorts,
    memory::MAX_FUNCTION_CURSOR,
    new_run::{MAX_REQUEST_BYTES, MAX_TICK_BYTES, request_bytes},
    text::keys_text,
};
use crate::{
    asset::{AssetError, Resources},
    definitions::Definitions,
    run::{Sleeper, check_config, panic_error},
    state::MAX_RUNS_PER_TICK,
};

/// The function of a sensor.
pub type SensorFn = for<'a> fn(SensorContext, &'a Resources) -> TriggerFuture<'a>;

/// The function of a schedule.
pub type ScheduleFn = for<'a> fn(ScheduleContext, &'a Resources) -> TriggerFuture<'a>;

/// The future of one evaluation.
pub type TriggerFuture<'a> =
    Pin<Box<dyn Future<Output = Result<SensorResult, AssetError>> + Send + 'a>>;

/// A call of the function of a sensor or schedule.
#[derive(Debug, Clone)]
pub struct FunctionCall {
    target: CallTarget,
    resources: Arc<Resources>,
}

#[derive(Debug, Clone)]
enum CallTarget {
    Sensor(SensorFn, SensorContext),
    Schedule(ScheduleFn, ScheduleContext),
}

impl FunctionCall {
    /// Creates a call of a sensor's function.
    pub fn of_sensor(
        function: SensorFn,
        context: SensorContext,
        resources: &Arc<Resources>,
    ) -> Self {
        Self {
            target: CallTarget::Sensor(function, context),
            resources: Arc::clone(resources),
        }
    }

    /// Creates a call of a schedule's function.
    pub fn of_schedule(
        function: ScheduleFn,
        context: ScheduleContext,
        resources: &Arc<Resources>,
    ) -> Self {
        Self {
            target: CallTarget::Schedule(function, context),
            resources: Arc::clone(resources),
        }
    }

    /// Calls the function. A panic is an error.
    ///
    /// # Errors
    /// That of the function.
    pub async fn run(self) -> Result<SensorResult, AssetError> {
        let resources = self.resources.as_ref();
        match self.target {
            CallTarget::Sensor(function, context) => {
                catch_panic(function(context, resources)).await
            }
            CallTarget::Schedule(function, context) => {
                catch_panic(function(context, resources)).await
            }
        }
    }
}

/// Runs the functions of sensors and schedules.
#[async_trait]
pub trait FunctionRunner: Send + Sync + Debug {
    /// Runs a function to its end, or gives it up.
    ///
    /// # Errors
    /// That of the function, or of giving it up.
    async fn run_function(&self, call: FunctionCall) -> Result<SensorResult, AssetError>;
}

/// Runs functions where they are called, without a limit of their time.
#[derive(Debug, Clone, Copy, Default)]
pub struct InlineFunctionRunner;

#[async_trait]
impl FunctionRunner for InlineFunctionRunner {
    async fn run_function(&self, call: FunctionCall) -> Result<SensorResult, AssetError> {
        call.run().await
    }
}

/// Number of calls for one event before the event counts as failed.
pub(super) const TRIES: u32 = 3;

/// The reason of an event for which a function requests nothing and names no reason.
pub(super) const NO_REQUEST: &str = "its function requests nothing";

/// The wait before the second call; before the nth it is (n - 1) times as long.
const PAUSE: Duration = Duration::from_millis(200);

/// Waits before a function is called again, after `tried` calls.
pub(super) async fn pause_before_retry(sleeper: &dyn Sleeper, tried: u32) {
    sleeper.sleep(PAUSE * tried).await;
}

/// Checks that the answer of a function can be recorded: its keys, and the run config and size of its requests. The
/// error counts as retryable, so that the event is not lost: a deployment that mends the function handles it. Without
/// this check the error of one answer would be that of all events recorded with it.
pub(super) fn check_answer(
    definitions: &Definitions,
    answer: &SensorResult,
    definition: Option<&PartitionsDefinition>,
    context: &PartitionContext,
) -> Result<(), AssetError> {
    for (set, key) in &answer.added_partitions {
        DynamicPartitions::new(set)
            .check_key(key.as_str())
            .map_err(|invalid| {
                AssetError::retryable(format!("its function adds a key: {invalid}"))
            })?;
    }
    let mut total = 0;
    for request in &answer.requests {
        check_config(definitions, &request.config)
            .map_err(|invalid| AssetError::retryable(invalid.to_string()))?;
        let partitions = keys_text(definition, &request.partitions, context);
        let bytes = request_bytes(request, partitions.as_deref());
        if bytes > MAX_REQUEST_BYTES {
            return Err(AssetError::retryable(format!(
                "its function requests a run whose record takes {} KiB, and at most {} KiB fit: request several runs \
                 of fewer partitions, and keep large values out of config and tags",
                bytes.div_ceil(1024),
                MAX_REQUEST_BYTES / 1024
            )));
        }
        total += bytes;
    }
    if total > MAX_TICK_BYTES {
        return Err(AssetError::retryable(format!(
            "its function requests runs whose records take {} KiB together, and at most {} KiB are recorded at once: \
             request fewer runs, and move the cursor in smaller steps",
            total.div_ceil(1024),
            MAX_TICK_BYTES / 1024
        )));
    }
    Ok(())
}

/// Checks that the function's cursor can be recorded.
pub(super) fn check_cursor(cursor: Option<&str>) -> Result<(), AssetError> {
    match cursor.map(str::len) {
        Some(bytes) if bytes > MAX_FUNCTION_CURSOR => Err(AssetError::retryable(format!(
            "its function sets a cursor of {} KiB, and at most {} KiB fit: store long lists as data, and set their \
             position as the cursor",
            bytes.div_ceil(1024),
            MAX_FUNCTION_CURSOR / 1024
        ))),
        _ => Ok(()),
    }
}

/// Says that a function requests more runs than one tick can hold.
pub(super) fn describe_too_many(requests: usize) -> String {
    format!(
        "its function asks for {requests} runs at once, and at most {MAX_RUNS_PER_TICK} can be created together: \
         request one run of many partitions"
    )
}

/// Calls the function of a sensor, with retries of transient errors. Also returns the cursor that it
/// set; each call starts with the same cursor.
pub(super) async fn try_sensor(
    function: SensorFn,
    context: &SensorContextBuilder,
    ports: &TriggerPorts,
    definition: Option<&PartitionsDefinition>,
    partitions: &PartitionContext,
) -> Result<(SensorResult, Option<String>), AssetError> {
    let mut tried = 0;
    loop {
        tried += 1;
        let context = context.clone().build();
        let call = FunctionCall::of_sensor(function, context.clone(), &ports.resources);
        match ports.launcher.function_runner().run_function(call).await {
            Ok(answer) => {
                check_answer(&ports.definitions, &answer, definition, partitions)?;
                let cursor = context.cursor();
                check_cursor(cursor.as_deref())?;
                return Ok((answer, cursor));
            }
            Err(error) if error.kind().is_retryable() && tried < TRIES => {
                pause_before_retry(ports.sleeper.as_ref(), tried).await;
            }
            Err(error) => return Err(error),
        }
    }
}

/// Awaits a call and turns a panic into an error.
async fn catch_panic(future: TriggerFuture<'_>) -> Result<SensorResult, AssetError> {
    let answer = AssertUnwindSafe(future).catch_unwind().await;
    answer.unwrap_or_else(|payload| Err(panic_error(payload.as_ref())))
}
