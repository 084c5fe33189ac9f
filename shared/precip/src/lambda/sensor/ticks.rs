//! Ticks of schedules.

use chrono::{DateTime, Utc};
use lambda_runtime::Diagnostic;
use precip_engine::trigger::{ScheduleDefinition, ScheduleOutcome, TickCall, evaluate_schedule};

use super::{Answer, Sensors, new_run_count};
use crate::lambda::failure;

impl Sensors {
    /// Evaluates a schedule for its tick, and for any missed before it.
    pub(super) async fn evaluate_schedule(&self, tick: &TickCall) -> Result<Answer, Diagnostic> {
        let Some(schedule) = self.definitions.schedule(&tick.schedule) else {
            let message = format!(
                "there is no schedule `{}`: deploy functions and template together",
                tick.schedule
            );
            return Err(failure::diagnostic("Precip.BadInput", &message));
        };
        let evaluated = self.evaluate_tick(schedule, tick.scheduled_for).await;
        let outcome = evaluated.map_err(|error| {
            let execution = tick.execution.as_deref().unwrap_or_default();
            tracing::warn!(schedule = tick.schedule, execution, error, "not evaluated");
            failure::diagnostic("Precip.Retryable", &error)
        })?;
        Ok(Answer::requested_runs(&outcome.runs))
    }

    /// Evaluates a schedule for a tick, or for all ticks that are due.
    pub(super) async fn evaluate_tick(
        &self,
        schedule: &ScheduleDefinition,
        scheduled_for: Option<DateTime<Utc>>,
    ) -> Result<ScheduleOutcome, String> {
        let ports = self
            .triggers
            .trigger_ports(&schedule.resources)
            .await
            .map_err(|error| error.to_string())?;
        // What has to wait is launched by the reactor.
        let ports = ports.with_patience();
        let outcome = evaluate_schedule(&ports, schedule, scheduled_for)
            .await
            .map_err(|error| error.to_string())?;
        let name = schedule.name();
        for reason in outcome.skipped.iter().chain(&outcome.failed) {
            tracing::info!(schedule = %name, reason, "requested no run");
        }
        tracing::info!(
            schedule = %name,
            running = outcome.running,
            ticks = outcome.ticks.len(),
            given_up = outcome.given_up,
            failed = outcome.failed.len(),
            runs = new_run_count(&outcome.runs),
            "evaluated"
        );
        Ok(outcome)
    }
}
