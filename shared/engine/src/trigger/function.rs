//! Calls of the functions of sensors and schedules.

use std::{future::Future, panic::AssertUnwindSafe, pin::Pin, time::Duration};

use futures::FutureExt;

use super::{ScheduleContext, SensorContext, SensorContextBuilder, SensorResult, TriggerPorts};
use crate::{
    asset::{AssetError, Resources},
    definitions::Definitions,
    run::{Sleeper, check_config, panic_error},
};

/// The function of a sensor.
pub type SensorFn = for<'a> fn(SensorContext, &'a Resources) -> TriggerFuture<'a>;

/// The function of a schedule.
pub type ScheduleFn = for<'a> fn(ScheduleContext, &'a Resources) -> TriggerFuture<'a>;

/// The future of one evaluation.
pub type TriggerFuture<'a> =
    Pin<Box<dyn Future<Output = Result<SensorResult, AssetError>> + Send + 'a>>;

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

/// Checks the run config of what a function requests, before any run of it is recorded. The error counts as retryable,
/// so that the event is not lost: a deployment that mends the function handles it.
pub(super) fn check_requests(
    definitions: &Definitions,
    answer: &SensorResult,
) -> Result<(), AssetError> {
    let mut requests = answer.requests.iter();
    requests.try_for_each(|request| {
        check_config(definitions, &request.config)
            .map_err(|invalid| AssetError::retryable(invalid.to_string()))
    })
}

/// Calls the function of a sensor, with retries of transient errors. Also returns the cursor that it
/// set; each call starts with the same cursor.
pub(super) async fn try_sensor(
    function: SensorFn,
    context: &SensorContextBuilder,
    ports: &TriggerPorts,
) -> Result<(SensorResult, Option<String>), AssetError> {
    let mut tried = 0;
    loop {
        tried += 1;
        let context = context.clone().build();
        match call_sensor(function, context.clone(), &ports.resources).await {
            Ok(answer) => {
                check_requests(&ports.definitions, &answer)?;
                return Ok((answer, context.cursor()));
            }
            Err(error) if error.kind().is_retryable() && tried < TRIES => {
                pause_before_retry(ports.sleeper.as_ref(), tried).await;
            }
            Err(error) => return Err(error),
        }
    }
}

/// Calls the function of a sensor.
pub(super) async fn call_sensor(
    function: SensorFn,
    context: SensorContext,
    resources: &Resources,
) -> Result<SensorResult, AssetError> {
    catch_panic(function(context, resources)).await
}

/// Calls the function of a schedule.
pub(super) async fn call_schedule(
    function: ScheduleFn,
    context: ScheduleContext,
    resources: &Resources,
) -> Result<SensorResult, AssetError> {
    catch_panic(function(context, resources)).await
}

/// Awaits a call and turns a panic into an error.
async fn catch_panic(future: TriggerFuture<'_>) -> Result<SensorResult, AssetError> {
    let answer = AssertUnwindSafe(future).catch_unwind().await;
    answer.unwrap_or_else(|payload| Err(panic_error(payload.as_ref())))
}
