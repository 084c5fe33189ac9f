//! [`Planner`].

use std::{fmt, sync::Arc};

use precip_core::{machine::Layout, plan::PlanError};
use serde::Serialize;

use crate::{
    definitions::Definitions,
    machine::{
        Finished, Mode, PlannerError, PlannerRequest, RunFiles, StageDocument, WaveDocument,
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
    /// A wave to run.
    Wave(WaveDocument),
    /// One row of an in-order stage.
    Row(StageDocument),
    /// The end of a run, or the first wave of what is left of it.
    Finished(Finished),
    /// A failure is on record.
    Recorded {
        /// Always `true`.
        recorded: bool,
    },
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
            PlannerRequest::Plan { input, execution } => {
                self.plan(&input, &execution).await.map(PlannerAnswer::Wave)
            }
            PlannerRequest::Settle {
                run,
                mode,
                plan,
                wave,
            } => {
                let laid = self.laid(run, plan).await?;
                let standing = self.settle(&laid, wave).await?;
                let next = self.wave(&laid, &standing, wave + 1, mode).await?;
                Ok(PlannerAnswer::Wave(next))
            }
            PlannerRequest::Next {
                run,
                plan,
                wave,
                stage,
                row,
            } => {
                let row = self.next_row(run, plan, wave, &stage, row).await?;
                Ok(PlannerAnswer::Row(row))
            }
            PlannerRequest::Record(request) => {
                self.record(&request).await?;
                Ok(PlannerAnswer::Recorded { recorded: true })
            }
            PlannerRequest::Finish {
                run,
                mode,
                plan,
                redrive,
            } => {
                let finished = self.finish(run, mode, plan, redrive).await?;
                Ok(PlannerAnswer::Finished(finished))
            }
        }
    }

    /// How a run of this many invocations is handed out.
    pub(super) fn mode(invocations: usize, bytes: usize) -> Mode {
        if invocations <= Mode::MOST_INLINE && bytes <= Mode::MOST_INLINE_BYTES {
            Mode::Inline
        } else {
            Mode::Distributed
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
