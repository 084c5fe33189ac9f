//! [`SfnLauncher`]: runs that are on record are started on Step Functions.

use std::sync::Arc;

use async_trait::async_trait;
use precip_engine::{
    deployment::{Executions, Started},
    machine::{StartInput, end_by},
    run::Clock,
    state::{Run, StateStore},
    trigger::RunLauncher,
};

use super::SfnExecutions;

/// Starts an execution for each run that a trigger put on record. The execution is named after the
/// run, so that of all that start it one does; it is given nothing but the run's id, so that no request
/// is too large for it: the planner reads the rest.
#[derive(Debug, Clone)]
pub struct SfnLauncher {
    executions: SfnExecutions,
    state: Arc<dyn StateStore>,
    clock: Arc<dyn Clock>,
}

impl SfnLauncher {
    /// Starts runs of a record as executions of a machine.
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

    /// Looks at the execution that was there. It is at work, or about to say so on the record, unless
    /// it ended and nobody could put that down: then its run would be queued for ever.
    async fn look(&self, run: &Run, arn: &str) -> Result<(), String> {
        let execution = self.executions.describe(arn).await;
        let Some(execution) = execution.map_err(|error| error.to_string())? else {
            return Ok(());
        };
        if !execution.status.is_ended() {
            return Ok(());
        }
        // Read anew: it may have begun and ended since the caller looked.
        let known = self.state.run(run.id).await;
        if let Some(run) = known.map_err(|error| error.to_string())? {
            let (now, ended) = (self.clock.now(), execution.as_ended());
            let ended = end_by(self.state.as_ref(), now, &run, &ended).await;
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
        let (name, input) = (run.id.to_string(), StartInput::carry_out(run.id));
        let started = self.executions.start(&name, &input).await;
        match started.map_err(|error| error.to_string())? {
            Started::Now(execution) => {
                tracing::info!(run = %run.id, execution, "launched");
                Ok(())
            }
            Started::Before(execution) => self.look(run, &execution).await,
        }
    }
}
