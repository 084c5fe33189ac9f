//! The end of a run on a machine, and its beginning anew.

use crate::{
    machine::{Finished, Mode, Planner, PlannerError, standing::Standing, work::Laid},
    run::{RunEnd, plan_retry},
    run_id::RunId,
    state::{RunChange, RunStatus, StateError},
};

impl Planner {
    /// Ends a run, after its last wave or, when its execution was redriven, begins with what is left.
    ///
    /// A redrive comes back to the state that failed, which is this one. `plan` is the number of the
    /// plan whose waves have run: less than `redrive` when what is left was not planned yet.
    pub(super) async fn finish(
        &self,
        run: RunId,
        mode: Mode,
        plan: u32,
        redrive: u32,
    ) -> Result<Finished, PlannerError> {
        if plan < redrive
            && let Some(again) = self.again(run, mode, redrive).await?
        {
            return Ok(again);
        }
        let laid = self.laid(run, plan).await?;
        let last = self.layout.waves().saturating_sub(1);
        let standing = self.settle(&laid, last).await?;
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
            None => Ok(Finished::Done {
                again: false,
                run: laid.run,
                materialized: laid.plan().items(),
            }),
        }
    }

    /// The first wave of what a run has left; nothing when nothing is left.
    async fn again(
        &self,
        run: RunId,
        mode: Mode,
        number: u32,
    ) -> Result<Option<Finished>, PlannerError> {
        let first = self.laid(run, 0).await?;
        let left = plan_retry(&self.definitions, &self.state, &first.planned, run).await?;
        if left.is_empty() {
            return Ok(None);
        }
        let laid = self.keep(run, number, left).await?;
        let known = self.state.run(run).await?;
        let status = known.ok_or_else(|| StateError::unknown_run(run))?.status;
        let start = RunChange::new(
            [RunStatus::Failed, RunStatus::Canceled],
            RunStatus::Running,
            self.clock.now(),
        );
        if start.applies_to(status) {
            self.state.change_run(run, start).await?;
        }
        let wave = self.wave(&laid, &Standing::default(), 0, mode).await?;
        Ok(Some(Finished::Again { again: true, wave }))
    }
}
