//! A run's stored plan, and the documents that hand out its work.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
};

use precip_core::{
    machine::{
        ConcurrencyBudget, ITEMS_PER_ROW, Item, Layout, LayoutStage, Row, StageConcurrency,
        StageWork, Work, divide_into_rows, step_kind,
    },
    partitions::PartitionContext,
    plan::{DefinitionChange, Lineage, Plan, PlanError},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    definitions::Definitions,
    machine::{
        FileError, LoopItem, LoopStage, LoopStep, Mode, Planner, PlannerError, RowDocument,
        RunFiles, StageDocument, WaveDocument, error::stale_plan, failure_impact::FailureImpact,
    },
    run::{PlannedRun, changed_layouts, fingerprint, plan_context},
    run_id::RunId,
    state::{CheckEvaluation, Latest, Materialization, StateStore},
};

/// A stored plan of a run, with the partitions that exist at its time.
pub(super) struct PlannedWork {
    pub(super) run: RunId,
    /// Number of the plan: 0 for the run's first, n after its nth redrive.
    pub(super) number: u32,
    pub(super) planned: PlannedRun,
}

impl PlannedWork {
    pub(super) fn plan(&self) -> &Plan {
        &self.planned.plan
    }

    pub(super) fn context(&self) -> &PartitionContext {
        &self.planned.context
    }

    /// Returns whether a partition has an outcome in the run: published by it or a newer run, failed
    /// or skipped in it.
    pub(super) fn has_outcome(&self, latest: &Latest) -> bool {
        let published = latest.published().is_some_and(|made| made.run >= self.run);
        let failed = latest.failure.as_ref();
        published
            || failed.is_some_and(|failure| failure.run >= self.run)
            || self.is_skipped(latest)
    }

    /// Returns whether what is made from a partition can run, or is skipped and thus no failure.
    pub(super) fn is_usable(&self, latest: &Latest) -> bool {
        let published = latest.published().filter(|made| made.run >= self.run);
        let passed =
            |made: &Materialization| !made.checks.iter().any(CheckEvaluation::blocks_downstream);
        published.is_some_and(passed) || self.is_skipped(latest)
    }

    fn is_skipped(&self, latest: &Latest) -> bool {
        let skip = latest.skip.as_ref();
        skip.is_some_and(|skip| skip.run >= self.run)
    }
}

/// Returns the key of a run's plan.
pub(super) fn plan_key(run: RunId, number: u32) -> String {
    format!("runs/{run}/plan-{number}.json")
}

fn manifest_key(run: RunId, number: u32, stage: &LayoutStage) -> String {
    let (wave, name) = (stage.wave, &stage.name);
    format!("runs/{run}/plan-{number}/wave-{wave}/{name}.jsonl")
}

/// Returns the manifest of a stage's items: a line of JSON for each row, which holds at most
/// `items_per_row` of them.
///
/// # Errors
/// When an item cannot be written as JSON.
pub fn manifest_lines<T: Serialize>(
    items: Vec<T>,
    items_per_row: usize,
    in_order: bool,
) -> serde_json::Result<Vec<u8>> {
    let mut content = Vec::new();
    for items in divide_into_rows(items, items_per_row, in_order) {
        serde_json::to_writer(&mut content, &Row { items })?;
        content.push(b'\n');
    }
    Ok(content)
}

impl Planner {
    /// Reads a plan of a run, for a machine that hands out its work by ordinals and names.
    ///
    /// # Errors
    /// [`PlannerError::Stale`] when the project was redeployed since and they mean something else.
    pub(super) async fn read_planned_work(
        &self,
        run: RunId,
        number: u32,
    ) -> Result<PlannedWork, PlannerError> {
        let stored = read_plan(self.files.as_ref(), run, number).await?;
        let planned = stored
            .check_current(&self.definitions, &self.layout, &self.state)
            .await?;
        Ok(PlannedWork {
            run,
            number,
            planned,
        })
    }

    /// Stores a plan of a run, or returns the one that is stored already under its number.
    pub(super) async fn store_plan(
        &self,
        run: RunId,
        number: u32,
        plan: Plan,
    ) -> Result<PlannedWork, PlannerError> {
        let stored = StoredPlan {
            plan,
            layout: Some(layout_fingerprint(&self.layout)?),
        };
        let content = serde_json::to_vec(&stored).map_err(json_error)?;
        let key = plan_key(run, number);
        if !self.files.create_file(&key, content).await? {
            return self.read_planned_work(run, number).await;
        }
        let plan = stored.plan;
        let context = plan_context(&self.definitions, &self.state, &plan).await?;
        Ok(PlannedWork {
            run,
            number,
            planned: PlannedRun { plan, context },
        })
    }

    /// Returns the work of a plan without the partitions that are held back.
    pub(super) fn remaining_work(
        &self,
        planned: &PlannedWork,
        impact: &FailureImpact,
    ) -> Result<Work, PlannerError> {
        let lineage = Lineage::new(self.definitions.graph(), planned.context());
        let work = Work::new(lineage, &self.layout, planned.plan(), |id, set| {
            impact.remaining(id, set)
        });
        Ok(work?)
    }

    /// Builds the document of the next work from the stage `from` on: the next wave that has work or,
    /// in a loop, the next stage that has.
    pub(super) async fn next_document(
        &self,
        planned: &PlannedWork,
        work: Work,
        from: usize,
        mode: Mode,
        functions: u32,
        looped: bool,
    ) -> Result<WaveDocument, PlannerError> {
        // Stages without work are not in `work`, so that a whole wave may be passed over.
        let mut left = work.stages.into_iter().filter(|work| work.stage >= from);
        let Some(first) = left.next() else {
            let end = self.layout.wave_count();
            return Ok(self.empty_document(planned.run, mode, end, planned.number, functions));
        };
        let wave = self.layout.stages[first.stage].wave;
        let mut document = self.empty_document(planned.run, mode, wave, planned.number, functions);
        let mut together = vec![first];
        if !looped {
            together.extend(left.filter(|work| self.layout.stages[work.stage].wave == wave));
        }
        let shares = self.divide_functions(functions, &together).await?;
        for (work, functions) in together.into_iter().zip(shares) {
            let concurrency = match mode {
                Mode::Nothing | Mode::Inline => StageConcurrency::inline(functions),
                Mode::Distributed => StageConcurrency::distributed(functions, work.items.len()),
            };
            if looped {
                document.stage = Some(self.loop_stage(planned, work, concurrency, mode).await?);
                return Ok(document);
            }
            let stage = &self.layout.stages[work.stage];
            let (items, key) = match mode {
                Mode::Nothing | Mode::Inline => (Some(work.items), None),
                Mode::Distributed => {
                    let graph = self.definitions.graph();
                    let per_row = stage.items_per_row(&work.items, concurrency, graph);
                    let key = self
                        .write_manifest(planned, stage, work.items, per_row)
                        .await?;
                    (None, Some(key))
                }
            };
            let stage_document = StageDocument {
                items,
                key,
                concurrency,
            };
            document.stages.insert(stage.name.clone(), stage_document);
        }
        Ok(document)
    }

    /// Divides functions among stages that run side by side, by the limits of their pools.
    async fn divide_functions(
        &self,
        functions: u32,
        wave: &[StageWork],
    ) -> Result<Vec<u32>, PlannerError> {
        let graph = self.definitions.graph();
        let steps = wave
            .iter()
            .flat_map(|work| &self.layout.stages[work.stage].steps);
        let ops = steps.filter_map(|step| graph.op_named(&step.op));
        let names: BTreeSet<&String> = ops.filter_map(|op| op.pool.as_ref()).collect();
        let now = self.clock.now();
        let mut pools = BTreeMap::new();
        for name in names {
            if let Some(limit) = self.state.pool_state(name, now).await?.limit {
                pools.insert(name.clone(), limit);
            }
        }
        let budget = ConcurrencyBudget {
            functions,
            pools: &pools,
        };
        Ok(budget.divide(wave, &self.layout, graph))
    }

    /// Builds a document without work.
    pub(super) fn empty_document(
        &self,
        run: RunId,
        mode: Mode,
        wave: u32,
        redrive: u32,
        functions_at_once: u32,
    ) -> WaveDocument {
        WaveDocument {
            run,
            mode,
            wave,
            redrive,
            functions_at_once,
            max_concurrency: functions_at_once.div_ceil(ITEMS_PER_ROW as u32),
            stages: BTreeMap::new(),
            stage: None,
            message: None,
        }
    }

    async fn loop_stage(
        &self,
        planned: &PlannedWork,
        work: StageWork,
        concurrency: StageConcurrency,
        mode: Mode,
    ) -> Result<LoopStage, PlannerError> {
        let stage = &self.layout.stages[work.stage];
        let graph = self.definitions.graph();
        let per_row = stage.items_per_row(&work.items, concurrency, graph);
        let mut items = Vec::with_capacity(work.items.len());
        for item in work.items {
            items.push(self.loop_item(stage, item)?);
        }
        let inline = mode != Mode::Distributed;
        let key = if inline {
            None
        } else {
            let items = items.clone();
            Some(self.write_manifest(planned, stage, items, per_row).await?)
        };
        Ok(LoopStage {
            name: stage.name.clone(),
            in_order: stage.in_order,
            items: inline.then_some(items),
            key,
            concurrency,
        })
    }

    fn loop_item(&self, stage: &LayoutStage, item: Item) -> Result<LoopItem, PlannerError> {
        let steps = stage
            .steps
            .iter()
            .filter(|step| item.steps.contains_key(&step.name));
        let loop_steps = steps.map(|step| {
            let found = self.definitions.op_named(&step.op);
            let op = found.ok_or_else(|| stale_plan("op", &step.op))?;
            Ok(LoopStep {
                name: step.name.clone(),
                kind: step_kind(&op.spec),
            })
        });
        let todo = loop_steps.collect::<Result<_, PlannerError>>()?;
        Ok(LoopItem { item, todo })
    }

    /// Writes the manifest of a stage and returns its key.
    async fn write_manifest<T: Serialize>(
        &self,
        planned: &PlannedWork,
        stage: &LayoutStage,
        items: Vec<T>,
        items_per_row: usize,
    ) -> Result<String, PlannerError> {
        let content = manifest_lines(items, items_per_row, stage.in_order).map_err(json_error)?;
        let key = manifest_key(planned.run, planned.number, stage);
        self.files.write_file(&key, content).await?;
        Ok(key)
    }

    /// Reads one row of a manifest; the document is empty after the last.
    pub(super) async fn next_row(
        &self,
        key: &str,
        row: usize,
    ) -> Result<RowDocument, PlannerError> {
        let content = read_existing(self.files.as_ref(), key).await?;
        // The file ends with a newline: the line after the last row is empty.
        let mut lines = content.split(|byte| *byte == b'\n');
        let line = lines.nth(row).filter(|line| !line.is_empty());
        let parsed: Option<Value> = line
            .map(serde_json::from_slice)
            .transpose()
            .map_err(|error| damaged_file(key, &error))?;
        Ok(RowDocument {
            row: row + 1,
            rows: parsed.into_iter().collect(),
        })
    }
}

/// A plan as it is stored for a machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct StoredPlan {
    /// The plan.
    #[serde(flatten)]
    pub(super) plan: Plan,
    /// Fingerprint of the layout whose names and waves the machine uses; `None` in plans that were
    /// stored before it was recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) layout: Option<String>,
}

impl StoredPlan {
    /// Checks that the plan, its ordinals and its layout mean what they meant when it was stored, and
    /// returns it with its context.
    ///
    /// # Errors
    /// [`PlannerError::Stale`], which says what has changed.
    pub(super) async fn check_current(
        self,
        definitions: &Definitions,
        layout: &Layout,
        state: &Arc<dyn StateStore>,
    ) -> Result<PlannedRun, PlannerError> {
        check_numbering(definitions, state, &self.plan).await?;
        let plan = self.plan;
        let context = plan_context(definitions, state, &plan).await?;
        plan.check_unchanged(Lineage::new(definitions.graph(), &context))?;
        // Last: a change of partitions changes the layout as well, and says more.
        if let Some(stored) = self.layout
            && stored != layout_fingerprint(layout)?
        {
            return Err(PlanError::from(DefinitionChange::OtherStages).into());
        }
        Ok(PlannedRun { plan, context })
    }
}

/// Checks that the record still has the numbers of a plan that does not say what they mean.
pub(super) async fn check_numbering(
    definitions: &Definitions,
    state: &Arc<dyn StateStore>,
    plan: &Plan,
) -> Result<(), PlannerError> {
    if plan.basis.is_unknown() {
        let changed = changed_layouts(definitions, state).await?;
        plan.check_numbering(&changed)?;
    }
    Ok(())
}

fn layout_fingerprint(layout: &Layout) -> Result<String, PlannerError> {
    let json = serde_json::to_vec(layout).map_err(json_error)?;
    Ok(fingerprint(&json))
}

/// Reads a plan of a run.
pub(super) async fn read_plan(
    files: &dyn RunFiles,
    run: RunId,
    number: u32,
) -> Result<StoredPlan, PlannerError> {
    let key = plan_key(run, number);
    let content = read_existing(files, &key).await?;
    serde_json::from_slice(&content).map_err(|error| damaged_file(&key, &error))
}

/// Reads a file that must exist.
async fn read_existing(files: &dyn RunFiles, key: &str) -> Result<Vec<u8>, PlannerError> {
    let content = files.read_file(key).await?;
    content.ok_or_else(|| damaged_file(key, &"it does not exist"))
}

fn damaged_file(key: &str, reason: &dyn fmt::Display) -> PlannerError {
    PlannerError::Damaged {
        key: key.to_owned(),
        reason: reason.to_string(),
    }
}

pub(super) fn json_error(error: serde_json::Error) -> FileError {
    FileError {
        message: format!("the run's files cannot be written as JSON: {error}"),
        retryable: false,
        source: None,
    }
}
