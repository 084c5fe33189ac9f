//! A run's plan, as it lies in the run's files, and the waves that are handed out of it.

use std::collections::BTreeMap;

use precip_core::{
    machine::{StageWork, StepName, Work, rows},
    partitions::PartitionContext,
    plan::{Lineage, Plan},
};

use crate::{
    machine::{
        FileError, Mode, Planner, PlannerError, StageDocument, WaveDocument, standing::Standing,
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

fn manifest_key(run: RunId, number: u32, wave: u32, stage: &StepName) -> String {
    format!("runs/{run}/plan-{number}/wave-{wave}/{stage}.jsonl")
}

impl Planner {
    /// Reads a plan of a run.
    pub(super) async fn laid(&self, run: RunId, number: u32) -> Result<Laid, PlannerError> {
        let key = plan_key(run, number);
        let damaged = |reason: String| PlannerError::Damaged {
            run,
            key: key.clone(),
            reason,
        };
        let content = self.files.read(&key).await?;
        let content = content.ok_or_else(|| damaged("there is no such file".to_owned()))?;
        let plan: Plan =
            serde_json::from_slice(&content).map_err(|error| damaged(error.to_string()))?;
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

    /// Hands out one wave of a plan.
    pub(super) async fn wave(
        &self,
        laid: &Laid,
        standing: &Standing,
        wave: u32,
        mode: Mode,
    ) -> Result<WaveDocument, PlannerError> {
        let work = self.lay_out(laid, standing)?;
        self.document(laid, work, wave, mode).await
    }

    /// Writes the manifests of one wave of some work, and says where they are.
    pub(super) async fn document(
        &self,
        laid: &Laid,
        work: Work,
        wave: u32,
        mode: Mode,
    ) -> Result<WaveDocument, PlannerError> {
        let mut stages = BTreeMap::new();
        for work in work.stages {
            let stage = &self.layout.stages[work.stage];
            if stage.wave == wave {
                let key = manifest_key(laid.run, laid.number, wave, &stage.name);
                let document = match mode {
                    Mode::Nothing | Mode::Inline => inline(work),
                    Mode::Distributed => self.manifest(key, work, stage.in_order).await?,
                };
                stages.insert(stage.name.clone(), document);
            }
        }
        Ok(WaveDocument {
            run: laid.run,
            mode,
            plan: laid.number,
            wave,
            max_concurrency: self.rows_at_once,
            stages,
            message: None,
        })
    }

    async fn manifest(
        &self,
        key: String,
        work: StageWork,
        in_order: bool,
    ) -> Result<StageDocument, PlannerError> {
        let rows = rows(work.items, in_order);
        let mut content = Vec::new();
        for row in &rows {
            serde_json::to_writer(&mut content, row).map_err(unwritable)?;
            content.push(b'\n');
        }
        self.files.write(&key, content).await?;
        Ok(StageDocument {
            rows: rows.len(),
            items: None,
            key: Some(key),
        })
    }

    /// One row of a manifest; no items when there are no more.
    pub(super) async fn next_row(
        &self,
        run: RunId,
        plan: u32,
        wave: u32,
        stage: &StepName,
        row: usize,
    ) -> Result<StageDocument, PlannerError> {
        let key = manifest_key(run, plan, wave, stage);
        let damaged = |reason: String| PlannerError::Damaged {
            run,
            key: key.clone(),
            reason,
        };
        let content = self.files.read(&key).await?;
        let content = content.ok_or_else(|| damaged("there is no such file".to_owned()))?;
        let mut lines = content.split(|byte| *byte == b'\n');
        let line = lines.nth(row).filter(|line| !line.is_empty());
        let items = line
            .map(serde_json::from_slice::<precip_core::machine::Row>)
            .transpose()
            .map_err(|error| damaged(error.to_string()))?
            .map(|row| row.items);
        Ok(StageDocument {
            rows: row + usize::from(items.is_some()),
            items,
            key: None,
        })
    }
}

fn inline(work: StageWork) -> StageDocument {
    StageDocument {
        rows: work.items.len(),
        items: Some(work.items),
        key: None,
    }
}

pub(super) fn unwritable(error: serde_json::Error) -> FileError {
    FileError {
        message: format!("the run's files cannot be written as JSON: {error}"),
        retryable: false,
        source: None,
    }
}
