//! [`SfnLauncher`]: starts recorded runs on Step Functions.

use std::sync::Arc;

use async_trait::async_trait;
use precip_engine::{
    deployment::{Executions, StartOutcome},
    machine::{StartInput, end_run_by_execution},
    run::Clock,
    state::{Run, StateStore},
    trigger::RunLauncher,
};

use super::SfnExecutions;

/// A launcher that starts one execution for each run that a trigger recorded.
///
/// The execution is named after the run, so concurrent launches start it once. Its input is the run's
/// id alone, so no request is too large for it: the planner reads the rest from the record.
#[derive(Debug, Clone)]
pub struct SfnLauncher {
    executions: SfnExecutions,
    state: Arc<dyn StateStore>,
    clock: Arc<dyn Clock>,
}

impl SfnLauncher {
    /// Launches the runs of a record as executions of a machine.
    pub fn new(
        executions: SfnExecutions,
        state: Arc<dyn StateStore>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            executions,
            state,
            clock,
        }
    }

    /// Ends the run of an existing execution that has ended without recording it. Otherwise the run
    /// would stay queued.
    async fn record_ended_execution(&self, run: &Run, arn: &str) -> Result<(), String> {
        let execution = self.executions.describe_execution(arn).await;
        let Some(execution) = execution.map_err(|error| error.to_string())? else {
            return Ok(());
        };
        if !execution.status.is_ended() {
            // The execution records its own progress.
            return Ok(());
        }
        // The caller's copy may be old: the run may have begun and ended since.
        let known = self.state.find_run(run.id).await;
        if let Some(run) = known.map_err(|error| error.to_string())? {
            let (now, ended) = (self.clock.now(), execution.as_ended());
            let ended = end_run_by_execution(self.state.as_ref(), now, &run, &ended).await;
            if let Some(run) = ended.map_err(|error| error.to_string())? {
                let why = run.message.as_deref().unwrap_or_default();
                tracing::warn!(run = %run.id, status = %run.status, why, "never started");
            }
        }
        Ok(())
    }
}

#[async_trait]
impl RunLauncher for SfnLauncher {
    async fn launch(&self, run: &Run) -> Result<(), String> {
        let (name, input) = (run.id.to_string(), StartInput::queued_run(run.id));
        // Step Functions refuses a second execution of a name for 90 days, so repeating this is safe.
        let started = self.executions.start_execution(&name, &input).await;
        match started.map_err(|error| error.to_string())? {
            StartOutcome::Started(execution) => {
                tracing::info!(run = %run.id, execution, "launched");
                Ok(())
            }
            StartOutcome::Existing(execution) => self.record_ended_execution(run, &execution).await,
        }
    }
}
