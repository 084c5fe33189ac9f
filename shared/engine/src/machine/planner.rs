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

/// Default number of functions that a run invokes at once: four fifths of the 1,000 concurrent invocations
/// that an AWS account allows by default.
///
/// Source: <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
const FUNCTIONS_AT_ONCE: u32 = 800;

/// Plans runs, hands out their waves and ends them: the planner function.
#[derive(Clone)]
pub struct Planner {
    pub(super) definitions: Arc<Definitions>,
    pub(super) layout: Arc<Layout>,
    pub(super) state: Arc<dyn StateStore>,
    pub(super) files: Arc<dyn RunFiles>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) randomness: Arc<dyn Randomness>,
    pub(super) functions_at_once: u32,
    pub(super) reserved: Option<u32>,
}

/// The planner's answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum PlannerAnswer {
    /// The next work.
    Wave(WaveDocument),
    /// One row of an in-order stage.
    Row(RowDocument),
    /// The rest of an item.
    Item(ItemDocument),
    /// The end of a run, or the first of its remaining work.
    Finished(Finished),
}

impl Planner {
    /// Creates the planner of a project.
    ///
    /// # Errors
    /// [`PlanError::Cycle`] when the project's ops wait for each other.
    pub fn new(
        definitions: Arc<Definitions>,
        state: Arc<dyn StateStore>,
        files: Arc<dyn RunFiles>,
        clock: Arc<dyn Clock>,
        randomness: Arc<dyn Randomness>,
    ) -> Result<Self, PlanError> {
        let layout = Arc::new(Layout::from_graph(definitions.graph())?);
        Ok(Self {
            definitions,
            layout,
            state,
            files,
            clock,
            randomness,
            functions_at_once: FUNCTIONS_AT_ONCE,
            reserved: None,
        })
    }

    /// Returns the planner with another number of functions that a run invokes at once, at most.
    #[must_use]
    pub fn with_functions_at_once(self, functions_at_once: u32) -> Self {
        Self {
            functions_at_once,
            ..self
        }
    }

    /// Returns the planner of a deployment that reserves concurrency for each materializer, which is then
    /// the limit in place of the account's.
    #[must_use]
    pub fn with_reserved_concurrency(self, functions: u32) -> Self {
        Self {
            reserved: Some(functions),
            ..self
        }
    }

    /// Handles the request of a machine's state. A repeated request gets the same answer.
    ///
    /// # Errors
    /// [`PlannerError`], whose [name](PlannerError::name) the machine matches.
    pub async fn handle_request(
        &self,
        request: PlannerRequest,
    ) -> Result<PlannerAnswer, PlannerError> {
        match request {
            PlannerRequest::Plan {
                input,
                execution,
                account,
                looped,
            } => {
                let functions = account.functions_at_once(self.functions_at_once, self.reserved);
                let wave = self
                    .start_run(&input, &execution, functions, looped)
                    .await?;
                Ok(PlannerAnswer::Wave(wave))
            }
            PlannerRequest::Settle(settle) => {
                let next = self.settle_wave(&settle).await?;
                Ok(PlannerAnswer::Wave(next))
            }
            PlannerRequest::Next { key, row } => {
                let row = self.next_row(&key, row).await?;
                Ok(PlannerAnswer::Row(row))
            }
            PlannerRequest::Record(request) => {
                let rest = self.record_failure(&request).await?;
                Ok(PlannerAnswer::Item(rest))
            }
            PlannerRequest::Finish(finish) => {
                let finished = self.finish_run(&finish).await?;
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
