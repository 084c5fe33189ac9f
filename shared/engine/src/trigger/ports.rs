//! What evaluations stand on.

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use precip_core::partitions::PartitionContext;

use super::TriggerError;
use crate::{
    asset::Resources,
    definitions::Definitions,
    run::{Clock, Randomness, Sleeper, new_run_id, partition_context},
    run_id::RunId,
    state::{
        Advance, Advanced, CreatedRun, Run, RunStatus, StateStore, TickOutcome, TriggerId,
        TriggerState,
    },
};

/// How often an evaluation begins again when others were faster.
const ATTEMPTS: u32 = 24;

/// Starts runs that are on record.
#[async_trait]
pub trait RunLauncher: Send + Sync {
    /// Starts a run that is [`RunStatus::Queued`]. It may be called several times and at the same
    /// time for one run, and has to start it once: on Step Functions by the execution's name. A run
    /// that can never start (its request makes no sense any more) it marks as failed, and answers
    /// that all is well.
    ///
    /// # Errors
    /// Why it cannot be started now; it will be asked again.
    async fn launch(&self, run: &Run) -> Result<(), String>;
}

/// What evaluations stand on.
#[derive(Clone)]
pub struct TriggerPorts {
    /// The project.
    pub definitions: Arc<Definitions>,
    /// The record.
    pub state: Arc<dyn StateStore>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Waiting.
    pub sleeper: Arc<dyn Sleeper>,
    /// Chance.
    pub randomness: Arc<dyn Randomness>,
    /// What starts runs.
    pub launcher: Arc<dyn RunLauncher>,
    /// What the functions of sensors and schedules may use.
    pub resources: Arc<Resources>,
    /// The name of the environment.
    pub environment: String,
}

impl fmt::Debug for TriggerPorts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TriggerPorts")
            .field("state", &self.state)
            .field("clock", &self.clock)
            .field("environment", &self.environment)
            .finish_non_exhaustive()
    }
}

impl TriggerPorts {
    /// The moment, with the dynamic keys.
    pub(crate) async fn context(&self) -> Result<PartitionContext, TriggerError> {
        let now = self.clock.now();
        Ok(partition_context(&self.definitions, &self.state, now).await?)
    }

    /// The id of a new run.
    pub(crate) fn run_id(&self) -> RunId {
        new_run_id(self.clock.as_ref(), self.randomness.as_ref())
    }

    /// A trigger's state, once the runs of its last tick are launched.
    pub(crate) async fn settled(&self, trigger: &TriggerId) -> Result<TriggerState, TriggerError> {
        let state = self.state.trigger(trigger).await?;
        let last = state.last_tick.as_ref();
        if let Some(TickOutcome::Requested(runs)) = last.map(|tick| &tick.outcome) {
            for run in runs {
                if let Some(run) = self.state.run(*run).await? {
                    self.launch(&run).await?;
                }
            }
        }
        Ok(state)
    }

    async fn launch(&self, run: &Run) -> Result<(), TriggerError> {
        if run.status != RunStatus::Queued {
            return Ok(());
        }
        let launched = self.launcher.launch(run).await;
        launched.map_err(|message| TriggerError::Launch {
            run: run.id,
            message,
        })
    }

    /// Records a tick and launches what it requested; `None` when somebody else was faster.
    pub(crate) async fn advance(
        &self,
        trigger: &TriggerId,
        advance: Advance,
    ) -> Result<Option<Vec<CreatedRun>>, TriggerError> {
        match self.state.advance(trigger, advance).await? {
            Advanced::Refused(_) => Ok(None),
            Advanced::Done { runs } => {
                for created in &runs {
                    self.launch(created.run()).await?;
                }
                Ok(Some(runs))
            }
        }
    }

    /// Waits before beginning again, longer each time and not all alike.
    ///
    /// # Errors
    /// [`TriggerError::Contended`] when it was often enough.
    pub(crate) async fn wait_again(
        &self,
        trigger: &TriggerId,
        attempt: &mut u32,
    ) -> Result<(), TriggerError> {
        *attempt += 1;
        if *attempt >= ATTEMPTS {
            return Err(TriggerError::Contended {
                trigger: trigger.to_string(),
            });
        }
        let most = f64::from((*attempt).min(10)) * 0.05;
        let wait = Duration::from_secs_f64(most * self.randomness.unit());
        self.sleeper.sleep(wait).await;
        Ok(())
    }
}
