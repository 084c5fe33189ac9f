//! The ports of evaluations.

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use precip_core::partitions::PartitionContext;

use super::{FunctionRunner, InlineFunctionRunner, TriggerError};
use crate::{
    asset::Resources,
    definitions::Definitions,
    run::{Clock, Randomness, Sleeper, new_run_id, partition_context},
    run_id::RunId,
    state::{
        Advance, Advanced, CreatedRun, Run, RunStatus, StateStore, TickOutcome, TickRequest,
        TriggerId, TriggerState, cut_text,
    },
};

/// Maximum number of attempts of an evaluation that concurrent ones overtake.
const ATTEMPTS: u32 = 24;

/// Maximum length of each text of a tick, in bytes as JSON. A longer one, such as the error of a function, would make the
/// tick too large to be recorded, and stop the trigger.
const TEXT_BYTES: usize = 8_000;

/// Cuts the texts of a tick for people.
fn cut_texts(advance: &mut Advance) {
    let request = match &mut advance.request {
        TickRequest::Fail { message } => Some(message),
        TickRequest::Skip { reason } => reason.as_mut(),
        TickRequest::Runs(_) => None,
    };
    for text in request.into_iter().chain(&mut advance.note) {
        *text = cut_text(text, TEXT_BYTES, "");
    }
}

/// Starts recorded runs.
#[async_trait]
pub trait RunLauncher: Send + Sync {
    /// Starts a run that is [`RunStatus::Queued`]. It may be called repeatedly and concurrently for
    /// one run, and must start it once; on Step Functions the execution's name ensures that. A run
    /// that can never start, because its request is not valid any more, is marked as failed, and the
    /// call succeeds.
    ///
    /// # Errors
    /// The reason why it cannot be started now; the call will be repeated.
    async fn launch(&self, run: &Run) -> Result<(), String>;

    /// Returns the runner of the functions of sensors and schedules, which request the runs to launch. By
    /// default they run where they are called, without a limit of their time, as on Lambda, whose timeout
    /// ends a function that hangs.
    fn function_runner(&self) -> Arc<dyn FunctionRunner> {
        Arc::new(InlineFunctionRunner)
    }
}

/// The ports of evaluations.
#[derive(Clone)]
pub struct TriggerPorts {
    /// The project.
    pub definitions: Arc<Definitions>,
    /// The state store.
    pub state: Arc<dyn StateStore>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Waits between attempts.
    pub sleeper: Arc<dyn Sleeper>,
    /// The source of run ids and jitter.
    pub randomness: Arc<dyn Randomness>,
    /// Starts the requested runs.
    pub launcher: Arc<dyn RunLauncher>,
    /// The resources of the functions of sensors and schedules.
    pub resources: Arc<Resources>,
    /// Name of the environment.
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
    /// Returns the current time, with the keys of the dynamic partition sets.
    pub(crate) async fn current_context(&self) -> Result<PartitionContext, TriggerError> {
        let now = self.clock.now();
        Ok(partition_context(&self.definitions, &self.state, now).await?)
    }

    /// Returns the id of a new run by the clock. It is made newer than those on record when the run is
    /// recorded.
    pub(crate) fn run_id(&self) -> RunId {
        new_run_id(self.clock.as_ref(), self.randomness.as_ref())
    }

    /// Launches the runs of a trigger's last tick that are still queued, and returns its state.
    pub(crate) async fn launched_state(
        &self,
        trigger: &TriggerId,
    ) -> Result<TriggerState, TriggerError> {
        let state = self.state.trigger_state(trigger).await?;
        let last = state.last_tick.as_ref();
        if let Some(TickOutcome::Requested(runs)) = last.map(|tick| &tick.outcome) {
            for run in runs {
                if let Some(run) = self.state.find_run(*run).await? {
                    self.launch_queued(&run).await?;
                }
            }
        }
        Ok(state)
    }

    async fn launch_queued(&self, run: &Run) -> Result<(), TriggerError> {
        if run.status != RunStatus::Queued {
            return Ok(());
        }
        let launched = self.launcher.launch(run).await;
        launched.map_err(|message| TriggerError::Launch {
            run: run.id,
            message,
        })
    }

    /// Records a tick and launches its runs; `None` when a concurrent evaluation was faster.
    pub(crate) async fn advance_and_launch(
        &self,
        trigger: &TriggerId,
        mut advance: Advance,
    ) -> Result<Option<Vec<CreatedRun>>, TriggerError> {
        cut_texts(&mut advance);
        if let TickRequest::Runs(runs) = &mut advance.request {
            // Of the runs of one tick, each is newer than those before it.
            let mut newest = self.state.newest_run().await?;
            for run in runs {
                run.id = run.id.made_newer_than(newest);
                newest = Some(run.id);
            }
        }
        match self.state.advance_trigger(trigger, advance).await? {
            Advanced::Refused(_) => Ok(None),
            Advanced::Done { runs } => {
                for created in &runs {
                    self.launch_queued(created.run()).await?;
                }
                Ok(Some(runs))
            }
        }
    }

    /// Waits before the next attempt of an evaluation: longer each time, with jitter.
    ///
    /// # Errors
    /// [`TriggerError::Contended`] after the last attempt.
    pub(crate) async fn back_off(
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
        let wait = Duration::from_secs_f64(most * self.randomness.random_unit());
        self.sleeper.sleep(wait).await;
        Ok(())
    }
}
