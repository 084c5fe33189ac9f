//! A run's plan, as it lies in the run's files, and the waves that are handed out of it.

use std::{collections::BTreeMap, fmt};

use precip_core::{
    machine::{Item, LayoutStage, Row, StageWork, Work, rows, step_kind},
    partitions::PartitionContext,
    plan::{Lineage, Plan, PlanError},
};
use serde::Serialize;
use serde_json::Value;

use crate::{
    machine::{
        FileError, LoopItem, LoopStage, LoopStep, Mode, Planner, PlannerError, RowDocument,
        RunFiles, StageDocument, WaveDocument, standing::Standing,
    },
    run::{PlannedRun, partition_context},
    run_id::RunId,
};

/// A plan of a run, with the moment that it belongs to.
pub(super) struct Laid {
    pub(super) run: RunId,
    /// 0, and after the nth redrive n.
    pub(super) number: u32,
    pub(super) planned: PlannedRun,
}

impl Laid {
    pub(super) fn plan(&self) -> &Plan {
        &self.planned.plan
    }

    pub(super) fn context(&self) -> &PartitionContext {
        &self.planned.context
    }
}

/// Where a plan of a run lies.
pub(super) fn plan_key(run: RunId, number: u32) -> String {
    format!("runs/{run}/plan-{number}.json")
}

fn manifest_key(run: RunId, number: u32, stage: &LayoutStage) -> String {
    let (wave, name) = (stage.wave, &stage.name);
    format!("runs/{run}/plan-{number}/wave-{wave}/{name}.jsonl")
}

impl Planner {
    /// Reads a plan of a run.
    pub(super) async fn laid(&self, run: RunId, number: u32) -> Result<Laid, PlannerError> {
        let plan = read_plan(self.files.as_ref(), run, number).await?;
        self.at_its_moment(run, number, plan).await
    }

    pub(super) async fn at_its_moment(
        &self,
        run: RunId,
        number: u32,
        plan: Plan,
    ) -> Result<Laid, PlannerError> {
        let context = partition_context(&self.definitions, &self.state, plan.at).await?;
        Ok(Laid {
            run,
            number,
            planned: PlannedRun { plan, context },
        })
    }

    /// Keeps a plan of a run, unless one of this number is there: then answers that one.
    pub(super) async fn keep(
        &self,
        run: RunId,
        number: u32,
        plan: Plan,
    ) -> Result<Laid, PlannerError> {
        let content = serde_json::to_vec(&plan).map_err(unwritable)?;
        if self.files.create(&plan_key(run, number), content).await? {
            self.at_its_moment(run, number, plan).await
        } else {
            self.laid(run, number).await
        }
    }

    /// Lays out what is left of a plan.
    pub(super) fn lay_out(&self, laid: &Laid, standing: &Standing) -> Result<Work, PlannerError> {
        let lineage = Lineage::new(self.definitions.graph(), laid.context());
        let wanted = Work::new(lineage, &self.layout, laid.plan(), |id, set| {
            standing.left(id, set)
        });
        Ok(wanted?)
    }

    /// What is to be done next of some work, after the stages before `from`: the whole of the next
    /// wave that has work, or of a loop the next stage.
    pub(super) async fn next(
        &self,
        laid: &Laid,
        work: Work,
        from: usize,
        mode: Mode,
        looped: bool,
    ) -> Result<WaveDocument, PlannerError> {
        let mut left = work.stages.into_iter().filter(|work| work.stage >= from);
        let Some(first) = left.next() else {
            return Ok(self.empty(laid.run, mode, self.layout.waves(), laid.number));
        };
        let wave = self.layout.stages[first.stage].wave;
        let mut document = self.empty(laid.run, mode, wave, laid.number);
        if looped {
            document.stage = Some(self.loop_stage(laid, first, mode).await?);
            return Ok(document);
        }
        let same_wave = |work: &StageWork| self.layout.stages[work.stage].wave == wave;
        for work in std::iter::once(first).chain(left.filter(same_wave)) {
            let stage = &self.layout.stages[work.stage];
            let stage_document = match mode {
                Mode::Nothing | Mode::Inline => StageDocument {
                    items: Some(work.items),
                    key: None,
                },
                Mode::Distributed => StageDocument {
                    items: None,
                    key: Some(self.manifest(laid, stage, work.items).await?),
                },
            };
            document.stages.insert(stage.name.clone(), stage_document);
        }
        Ok(document)
    }

    /// A document without work.
    pub(super) fn empty(&self, run: RunId, mode: Mode, wave: u32, redrive: u32) -> WaveDocument {
        WaveDocument {
            run,
            mode,
            wave,
            redrive,
            max_concurrency: self.rows_at_once,
            stages: BTreeMap::new(),
            stage: None,
            message: None,
        }
    }

    async fn loop_stage(
        &self,
        laid: &Laid,
        work: StageWork,
        mode: Mode,
    ) -> Result<LoopStage, PlannerError> {
        let stage = &self.layout.stages[work.stage];
        let mut items = Vec::with_capacity(work.items.len());
        for item in work.items {
            items.push(self.loop_item(stage, item)?);
        }
        let inline = mode != Mode::Distributed;
        let key = match inline {
            true => None,
            false => Some(self.manifest(laid, stage, items.clone()).await?),
        };
        Ok(LoopStage {
            name: stage.name.clone(),
            in_order: stage.in_order,
            items: inline.then_some(items),
            key,
        })
    }

    fn loop_item(&self, stage: &LayoutStage, item: Item) -> Result<LoopItem, PlannerError> {
        let todo = stage
            .steps
            .iter()
            .filter(|step| item.steps.contains_key(&step.name));
        let todo = todo.map(|step| {
            let op = self.definitions.op_named(&step.op);
            let op = op.ok_or_else(|| PlanError::Stale {
                what: "op",
                name: step.op.clone(),
            })?;
            Ok(LoopStep {
                name: step.name.clone(),
                kind: step_kind(&op.spec),
            })
        });
        let todo = todo.collect::<Result<_, PlanError>>()?;
        Ok(LoopItem { item, todo })
    }

    /// Writes the manifest of a stage. Answers its key.
    async fn manifest<T: Serialize>(
        &self,
        laid: &Laid,
        stage: &LayoutStage,
        items: Vec<T>,
    ) -> Result<String, PlannerError> {
        let mut content = Vec::new();
        for items in rows(items, stage.in_order) {
            serde_json::to_writer(&mut content, &Row { items }).map_err(unwritable)?;
            content.push(b'\n');
        }
        let key = manifest_key(laid.run, laid.number, stage);
        self.files.write(&key, content).await?;
        Ok(key)
    }

    /// One row of a manifest; none when there are no more.
    pub(super) async fn next_row(
        &self,
        key: &str,
        row: usize,
    ) -> Result<RowDocument, PlannerError> {
        let content = read(self.files.as_ref(), key).await?;
        let mut lines = content.split(|byte| *byte == b'\n');
        let line = lines.nth(row).filter(|line| !line.is_empty());
        let rows = line.map(serde_json::from_slice).transpose();
        let rows: Option<Value> = rows.map_err(|error| damaged(key, &error))?;
        Ok(RowDocument {
            row: row + 1,
            rows: rows.into_iter().collect(),
        })
    }
}

/// Reads a plan of a run.
pub(super) async fn read_plan(
    files: &dyn RunFiles,
    run: RunId,
    number: u32,
) -> Result<Plan, PlannerError> {
    let key = plan_key(run, number);
    let content = read(files, &key).await?;
    serde_json::from_slice(&content).map_err(|error| damaged(&key, &error))
}

/// Reads a file that has to be there.
async fn read(files: &dyn RunFiles, key: &str) -> Result<Vec<u8>, PlannerError> {
    let content = files.read(key).await?;
    content.ok_or_else(|| damaged(key, &"there is no such file"))
}

fn damaged(key: &str, reason: &dyn fmt::Display) -> PlannerError {
    PlannerError::Damaged {
        key: key.to_owned(),
        reason: reason.to_string(),
    }
}

pub(super) fn unwritable(error: serde_json::Error) -> FileError {
    FileError {
        message: format!("the run's files cannot be written as JSON: {error}"),
        retryable: false,
        source: None,
    }
}
