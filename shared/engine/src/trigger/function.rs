//! The functions of sensors and schedules.

use std::{future::Future, panic::AssertUnwindSafe, pin::Pin, time::Duration};

use futures::FutureExt;

use super::{ScheduleContext, SensorContext, SensorContextBuilder, SensorResult, TriggerPorts};
use crate::{
    asset::{AssetError, Resources},
    run::{Sleeper, panicked},
};

/// The function of a sensor.
pub type SensorFn = for<'a> fn(SensorContext, &'a Resources) -> TriggerFuture<'a>;

/// The function of a schedule.
pub type ScheduleFn = for<'a> fn(ScheduleContext, &'a Resources) -> TriggerFuture<'a>;

/// The future of one evaluation.
pub type TriggerFuture<'a> =
    Pin<Box<dyn Future<Output = Result<SensorResult, AssetError>> + Send + 'a>>;

/// How often a function is called for one event before the event counts as failed.
pub(super) const TRIES: u32 = 3;

/// How long is waited before a function is called again, times how often it was.
const PAUSE: Duration = Duration::from_millis(200);

/// Waits before a function is called again.
pub(super) async fn pause(sleeper: &dyn Sleeper, tried: u32) {
    sleeper.sleep(PAUSE * tried).await;
}

/// Calls the function of a sensor, again if that may help. Answers what it left as its cursor too; each
/// call begins with the cursor of the first.
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
            Ok(answer) => return Ok((answer, context.cursor())),
            Err(error) if error.kind().is_retryable() && tried < TRIES => {
                pause(ports.sleeper.as_ref(), tried).await;
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
    guarded(function(context, resources)).await
}

/// Calls the function of a schedule.
pub(super) async fn call_schedule(
    function: ScheduleFn,
    context: ScheduleContext,
    resources: &Resources,
) -> Result<SensorResult, AssetError> {
    guarded(function(context, resources)).await
}

async fn guarded(future: TriggerFuture<'_>) -> Result<SensorResult, AssetError> {
    let answer = AssertUnwindSafe(future).catch_unwind().await;
    answer.unwrap_or_else(|payload| Err(panicked(payload.as_ref())))
}
