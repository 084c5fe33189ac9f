//! The end of a run on a machine, and its start after a redrive.

use crate::{
    machine::{
        Finish, Finished, Planner, PlannerError, failure_impact::FailureImpact, work::PlannedWork,
    },
    run::{RefusedData, RunEnd, plan_retry},
    run_id::RunId,
    state::{RunChange, RunStatus, StateError},
};

impl Planner {
    /// Ends a run after its last work or, when its execution was redriven, starts the remaining work:
    /// a redrive returns to the state that failed, which sends this request.
    pub(super) async fn finish_run(&self, finish: &Finish) -> Result<Finished, PlannerError> {
        let number = if finish.again {
            finish.redrive
        } else {
            finish.execution.redrive
        };
        // A redrive that is newer than the plan needs a plan of its own.
        if finish.again || finish.redrive < number {
            let remaining = self.plan_remaining(finish.run, number).await?;
            if finish.again || remaining.is_some() {
                return self.start_remaining(finish, remaining).await;
            }
        }
        let planned = self.read_planned_work(finish.run, finish.redrive).await?;
        // The stages before the last wave (in a loop, the last stage) were settled on the way.
        let all = self.layout.stages.len();
        let first_unsettled = if finish.looped {
            all.saturating_sub(1)
        } else {
            let wave = self.layout.wave_count().saturating_sub(1);
            self.layout
                .stages
                .partition_point(|stage| stage.wave < wave)
        };
        let impact = self.settle_stages(&planned, first_unsettled..all).await?;
        self.end_run(&planned, &impact).await
    }

    async fn end_run(
        &self,
        planned: &PlannedWork,
        impact: &FailureImpact,
    ) -> Result<Finished, PlannerError> {
        let end = match impact.failed_count() {
            0 => RunEnd::Succeeded,
            failed => RunEnd::Failed {
                failed,
                held: impact.held_back_count(),
            },
        };
        let from = [RunStatus::Queued, RunStatus::Running, RunStatus::Canceling];
        let mut change = RunChange::new(from, end.status(), self.clock.now());
        if let Some(message) = end.message() {
            change = change.with_message(message);
        }
        // Refused when the run has ended already: then this request is a repetition.
        self.state.change_run(planned.run, change).await?;
        match end.message() {
            Some(message) => Err(PlannerError::RunFailed {
                summary: format!(
                    "run {}: {message}; `run {}` shows the failures, `retry {}` or a redrive of \
                     this execution runs the rest",
                    planned.run, planned.run, planned.run
                ),
            }),
            None => Ok(Finished {
                again: false,
                document: None,
            }),
        }
    }

    /// Plans the rest of a run and stores that plan; `None` when nothing remains.
    async fn plan_remaining(
        &self,
        run: RunId,
        number: u32,
    ) -> Result<Option<PlannedWork>, PlannerError> {
        let first = self.read_planned_work(run, 0).await?;
        let rest = plan_retry(
            &self.definitions,
            &self.state,
            &first.planned,
            run,
            RefusedData::CheckAgain,
        )
        .await?;
        if rest.is_empty() {
            Ok(None)
        } else {
            self.store_plan(run, number, rest).await.map(Some)
        }
    }

    async fn start_remaining(
        &self,
        finish: &Finish,
        remaining: Option<PlannedWork>,
    ) -> Result<Finished, PlannerError> {
        let functions = finish.functions_at_once.unwrap_or(self.functions_at_once);
        let document = match remaining {
            // All is done: the machine goes on to its end.
            None => {
                let end = self.layout.wave_count();
                self.empty_document(finish.run, finish.mode, end, 0, functions)
            }
            Some(planned) => {
                self.mark_running(finish.run).await?;
                let work = self.remaining_work(&planned, &FailureImpact::default())?;
                self.next_document(&planned, work, 0, finish.mode, functions, finish.looped)
                    .await?
            }
        };
        Ok(Finished {
            again: true,
            document: Some(document),
        })
    }

    /// Marks an ended run as running again.
    async fn mark_running(&self, run: RunId) -> Result<(), PlannerError> {
        let known = self.state.find_run(run).await?;
        let status = known.ok_or_else(|| StateError::unknown_run(run))?.status;
        let from = [RunStatus::Failed, RunStatus::Canceled];
        let start = RunChange::new(from, RunStatus::Running, self.clock.now());
        if start.applies_to(status) {
            self.state.change_run(run, start).await?;
        }
        Ok(())
    }
}
