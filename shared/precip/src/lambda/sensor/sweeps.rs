//! Sweeps: what no event told of.

use chrono::TimeDelta;
use lambda_runtime::Diagnostic;
use precip_engine::{
    state::CreatedRun,
    trigger::{SensorDefinition, SweepCall, SweepOptions, Swept, sweep},
};

use super::{Answer, Sensors, new};
use crate::lambda::failure;

/// The name that stands for every sensor, and for the schedules as well.
const ALL: &str = "*";

impl Sensors {
    /// Looks through the buckets of sensors, and at the schedules for ticks that did not come. What
    /// goes wrong with one keeps nothing from the others.
    pub(super) async fn sweep(&self, call: &SweepCall) -> Result<Answer, Diagnostic> {
        let named = Some(call.sweep.as_str()).filter(|name| *name != ALL);
        let sensors = self.of_objects(named);
        if let (Some(name), true) = (named, sensors.is_empty()) {
            let message = format!("there is no sensor `{name}` of objects to sweep for");
            return Err(failure::diagnostic("Precip.BadInput", &message));
        }
        let mut options = SweepOptions::default();
        if let Some(seconds) = call.grace_seconds {
            options.grace = TimeDelta::seconds(seconds.into());
        }
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
        let schedules = self.definitions.schedules();
        for schedule in schedules.filter(|_| named.is_none()) {
            match self.evaluate_tick(schedule, None).await {
                Ok(outcome) => runs.extend(outcome.runs),
                Err(error) => failed.push(format!("schedule `{}`: {error}", schedule.name())),
            }
        }
        if failed.is_empty() {
            return Ok(Answer::requested(&runs));
        }
        let failed = failed.join("; ");
        tracing::warn!(failed, "not all was swept");
        Err(failure::diagnostic("Precip.Retryable", &failed))
    }

    async fn sweep_one(
        &self,
        sensor: &SensorDefinition,
        options: SweepOptions,
    ) -> Result<Swept, String> {
        let (ports, bucket) = self.of_sensor(sensor).await?;
        let swept = sweep(&ports, sensor, &bucket, &self.objects, options).await;
        let swept = swept.map_err(|error| error.to_string())?;
        tracing::info!(
            sensor = %sensor.name(),
            bucket,
            running = swept.running,
            listed = swept.listed,
            missed = swept.missed,
            runs = new(&swept.runs),
            "swept"
        );
        Ok(swept)
    }
}
