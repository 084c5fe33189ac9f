//! Sweeps: the search for objects whose event was lost.

use chrono::TimeDelta;
use lambda_runtime::Diagnostic;
use precip_engine::{
    state::CreatedRun,
    trigger::{SensorDefinition, SweepCall, SweepOptions, SweepOutcome, sweep_bucket},
};

use super::{Answer, Sensors, new_run_count};
use crate::lambda::failure;

/// The name in a sweep of every sensor and of the schedules.
const ALL: &str = "*";

impl Sensors {
    /// Sweeps the buckets of sensors, and evaluates schedules whose tick was lost. A failure of one
    /// does not stop the others.
    pub(super) async fn sweep_buckets(&self, call: &SweepCall) -> Result<Answer, Diagnostic> {
        let named = Some(call.sweep.as_str()).filter(|name| *name != ALL);
        let sensors = self.object_sensors(named);
        if let (Some(name), true) = (named, sensors.is_empty()) {
            let message = format!("there is no sensor `{name}` of objects to sweep");
            return Err(failure::diagnostic("Precip.BadInput", &message));
        }
        let mut options = SweepOptions::default();
        if let Some(seconds) = call.grace_seconds {
            options.grace = TimeDelta::seconds(seconds.into());
        }
        // Failures are collected, so that one bucket does not stop the sweep of the next.
        let (mut runs, mut failed): (Vec<CreatedRun>, Vec<String>) = (Vec::new(), Vec::new());
        for sensor in sensors {
            match self.sweep_one(sensor, options).await {
                Ok(swept) => {
                    runs.extend(swept.runs);
                    failed.extend(swept.failed);
                }
                Err(error) => failed.push(format!("sensor `{}`: {error}", sensor.name())),
            }
        }
        // A sweep of everything also catches ticks that the scheduler never delivered.
        let schedules = self.definitions.schedules();
        for schedule in schedules.filter(|_| named.is_none()) {
            match self.evaluate_tick(schedule, None).await {
                Ok(outcome) => runs.extend(outcome.runs),
                Err(error) => failed.push(format!("schedule `{}`: {error}", schedule.name())),
            }
        }
        if failed.is_empty() {
            return Ok(Answer::requested_runs(&runs));
        }
        let failures = failed.join("; ");
        tracing::warn!(failed = failures, "some sweeps failed");
        Err(failure::diagnostic("Precip.Retryable", &failures))
    }

    async fn sweep_one(
        &self,
        sensor: &SensorDefinition,
        options: SweepOptions,
    ) -> Result<SweepOutcome, String> {
        let (ports, bucket) = self.ports_for_sensor(sensor).await?;
        let swept = sweep_bucket(&ports, sensor, &bucket, &self.objects, options)
            .await
            .map_err(|error| error.to_string())?;
        tracing::info!(
            sensor = %sensor.name(),
            bucket,
            running = swept.running,
            listed = swept.listed,
            missed = swept.missed,
            runs = new_run_count(&swept.runs),
            "swept"
        );
        Ok(swept)
    }
}
