//! The functions of sensors and schedules.

use std::{future::Future, panic::AssertUnwindSafe, pin::Pin};

use futures::FutureExt;

use super::{ScheduleContext, SensorContext, SensorResult};
use crate::{
    asset::{AssetError, Resources},
    run::panicked,
};

/// The function of a sensor.
pub type SensorFn = for<'a> fn(SensorContext, &'a Resources) -> TriggerFuture<'a>;

/// The function of a schedule.
pub type ScheduleFn = for<'a> fn(ScheduleContext, &'a Resources) -> TriggerFuture<'a>;

/// The future of one evaluation.
pub type TriggerFuture<'a> =
    Pin<Box<dyn Future<Output = Result<SensorResult, AssetError>> + Send + 'a>>;

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
