//! The end of a run on a machine, and its beginning anew.

use crate::{
    machine::{Finish, Finished, Planner, PlannerError, standing::Standing, work::Laid},
    run::{RunEnd, plan_retry},
    run_id::RunId,
    state::{RunChange, RunStatus, StateError},
};

impl Planner {
    /// Ends a run, after its last work or, when its execution was redriven, begins with what is left:
    /// a redrive comes back to the state that failed, which asks this.
    pub(super) async fn finish(&self, finish: &Finish) -> Result<Finished, PlannerError> {
        let number = match finish.again {
            true => finish.redrive,
            false => finish.execution.redrive,
        };
        if finish.again || finish.redrive < number {
            let left = self.left(finish.run, number).await?;
            if finish.again || left.is_some() {
                return self.begin_again(finish, left).await;
            }
        }
        let laid = self.laid(finish.run, finish.redrive).await?;
        let all = self.layout.stages.len();
        let last = match finish.looped {
            true => all.saturating_sub(1),
            false => {
                let wave = self.layout.waves().saturating_sub(1);
                self.layout
                    .stages
                    .partition_point(|stage| stage.wave < wave)
            }
        };
        let standing = self.come_to(&laid, last..all).await?;
        self.end(&laid, &standing).await
    }

    async fn end(&self, laid: &Laid, standing: &Standing) -> Result<Finished, PlannerError> {
        let end = match standing.failures() {
            0 => RunEnd::Succeeded,
            failed => RunEnd::Failed {
                failed,
                held: standing.holds(),
            },
        };
        let from = [RunStatus::Queued, RunStatus::Running, RunStatus::Canceling];
        let mut change = RunChange::new(from, end.status(), self.clock.now());
        if let Some(message) = end.message() {
            change = change.because(message);
        }
        // Refused when it is at its end already: then this is asked a second time.
        self.state.change_run(laid.run, change).await?;
        match end.message() {
            Some(message) => Err(PlannerError::RunFailed {
                summary: format!(
                    "run {}: {message}; `run {}` says what, `retry {}` or a redrive of this \
                     execution makes what is left",
                    laid.run, laid.run, laid.run
                ),
            }),
            None => Ok(Finished {
                again: false,
                document: None,
            }),
        }
    }

    /// The plan of what a run has left; nothing when nothing is left.
    async fn left(&self, run: RunId, number: u32) -> Result<Option<Laid>, PlannerError> {
        let first = self.laid(run, 0).await?;
        let left = plan_retry(&self.definitions, &self.state, &first.planned, run).await?;
        match left.is_empty() {
            true => Ok(None),
            false => self.keep(run, number, left).await.map(Some),
        }
    }

    async fn begin_again(
        &self,
        finish: &Finish,
        left: Option<Laid>,
    ) -> Result<Finished, PlannerError> {
        let document = match left {
            // All is done: the machine goes on to the end.
            None => self.empty(finish.run, finish.mode, self.layout.waves(), 0),
            Some(laid) => {
                self.run_again(finish.run).await?;
                let work = self.lay_out(&laid, &Standing::default())?;
                self.next(&laid, work, 0, finish.mode, finish.looped)
                    .await?
            }
        };
        Ok(Finished {
            again: true,
            document: Some(document),
        })
    }

    async fn run_again(&self, run: RunId) -> Result<(), PlannerError> {
        let known = self.state.run(run).await?;
        let status = known.ok_or_else(|| StateError::unknown_run(run))?.status;
        let from = [RunStatus::Failed, RunStatus::Canceled];
        let start = RunChange::new(from, RunStatus::Running, self.clock.now());
        if start.applies_to(status) {
            self.state.change_run(run, start).await?;
        }
        Ok(())
    }
}
