//! [`Planner`].

use std::{fmt, sync::Arc};

use precip_core::{machine::Layout, plan::PlanError};
use serde::Serialize;

use crate::{
    definitions::Definitions,
    machine::{
        Finished, ItemDocument, PlannerError, PlannerRequest, RowDocument, RunFiles, WaveDocument,
    },
    run::{Clock, Randomness},
    state::StateStore,
};

/// How many rows of a manifest are worked on at once unless told otherwise: 25 rows of 40 items are
/// the 1,000 invocations at once that an AWS account allows at first.
///
/// Source: <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
const ROWS_AT_ONCE: u32 = 25;

/// Plans runs, hands out their waves and ends them: what the planner function does.
#[derive(Clone)]
pub struct Planner {
    pub(super) definitions: Arc<Definitions>,
    pub(super) layout: Arc<Layout>,
    pub(super) state: Arc<dyn StateStore>,
    pub(super) files: Arc<dyn RunFiles>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) randomness: Arc<dyn Randomness>,
    pub(super) rows_at_once: u32,
}

/// What the planner answers.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum PlannerAnswer {
    /// What is to be done next.
    Wave(WaveDocument),
    /// One row of an in-order stage.
    Row(RowDocument),
    /// What is left of an item.
    Item(ItemDocument),
    /// The end of a run, or the first work of what is left of it.
    Finished(Finished),
}

impl Planner {
    /// A planner of a project.
    ///
    /// # Errors
    /// [`PlanError::Circle`] when the project's ops wait for each other.
    pub fn new(
        definitions: Arc<Definitions>,
        state: Arc<dyn StateStore>,
        files: Arc<dyn RunFiles>,
        clock: Arc<dyn Clock>,
        randomness: Arc<dyn Randomness>,
    ) -> Result<Self, PlanError> {
        let layout = Arc::new(Layout::of(definitions.graph())?);
        Ok(Self {
            definitions,
            layout,
            state,
            files,
            clock,
            randomness,
            rows_at_once: ROWS_AT_ONCE,
        })
    }

    /// The same, with this many rows of a manifest worked on at once.
    #[must_use]
    pub fn with_rows_at_once(self, rows_at_once: u32) -> Self {
        Self {
            rows_at_once,
            ..self
        }
    }

    /// Does what a state of a machine asks for. Asked the same again it answers the same.
    ///
    /// # Errors
    /// [`PlannerError`]; its [name](PlannerError::name) is what the machine matches.
    pub async fn answer(&self, request: PlannerRequest) -> Result<PlannerAnswer, PlannerError> {
        match request {
            PlannerRequest::Plan {
                input,
                execution,
                looped,
            } => {
                let wave = self.plan(&input, &execution, looped).await?;
                Ok(PlannerAnswer::Wave(wave))
            }
            PlannerRequest::Settle(settle) => {
                let next = self.settle(&settle).await?;
                Ok(PlannerAnswer::Wave(next))
            }
            PlannerRequest::Next { key, row } => {
                let row = self.next_row(&key, row).await?;
                Ok(PlannerAnswer::Row(row))
            }
            PlannerRequest::Record(request) => {
                let left = self.record(&request).await?;
                Ok(PlannerAnswer::Item(left))
            }
            PlannerRequest::Finish(finish) => {
                let finished = self.finish(&finish).await?;
                Ok(PlannerAnswer::Finished(finished))
            }
        }
    }
}

impl fmt::Debug for Planner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Planner")
            .field("state", &self.state)
            .field("files", &self.files)
            .finish_non_exhaustive()
    }
}
