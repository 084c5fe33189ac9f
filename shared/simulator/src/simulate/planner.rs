//! The modelled planner: it hands out the work of a plan as the real one does.

use std::{collections::BTreeMap, rc::Rc};

use async_trait::async_trait;
use precip_core::{
    cost::to_f64,
    machine::{
        ConcurrencyBudget, Item, LayoutStage, StageConcurrency, StageWork, StepName, Work,
        step_kind,
    },
    partitions::PartitionSet,
    plan::{Frontier, Lineage, Loss, LossCause, StepId, StepOutcome},
};
use precip_engine::{
    machine::{
        AccountSettings, FailedStep, ItemDocument, LoopItem, LoopStage, LoopStep, Mode,
        RowDocument, StageDocument, WaveDocument, manifest_lines,
    },
    run_id::RunId,
};
use serde::Serialize;
use serde_json::{Value, json};

use super::{
    assumptions::{
        PLANNER_TIME, READS_OF_A_STEP, WRITES_OF_A_FAILURE, WRITES_OF_A_PLAN, WRITES_OF_A_WAVE,
        WRITES_OF_AN_END,
    },
    materializer::unexpected,
    shared::{RUN_KEY, Shared},
};
use crate::{
    bill::Unit,
    dynamo::Access,
    lambda::{Handler, Invocation},
    task::TaskError,
};

pub(super) struct Planner(pub(super) Rc<Shared>);

#[async_trait(?Send)]
impl Handler for Planner {
    async fn handle(&self, payload: Value, _: &Invocation) -> Result<Value, TaskError> {
        let shared = &self.0;
        shared.time.sleep(PLANNER_TIME).await;
        let looped = payload["loop"] == true;
        match payload["do"].as_str().unwrap_or_default() {
            "plan" => {
                let steps = shared.planned.plan.steps().count() as u64;
                shared
                    .bill
                    .add(Unit::DynamoDbRead, to_f64(steps) * READS_OF_A_STEP);
                self.write(WRITES_OF_A_PLAN).await?;
                shared.count_put();
                let account: AccountSettings =
                    serde_json::from_value(payload["account"].clone())
                        .map_err(|error| unexpected("account", &error.to_string()))?;
                let (most, reserved) = shared.most_functions;
                shared
                    .functions
                    .set(account.functions_at_once(most, reserved));
                let mode = self.choose_mode()?;
                self.next_document(0, mode, looped).await
            }
            "settle" => {
                shared.bill.add_one(Unit::S3Get);
                self.read_unseen();
                let stages = &shared.layout.stages;
                let from = match payload["stage"].as_str() {
                    Some(name) => shared.layout.stage_named(name).map(|(index, _)| index + 1),
                    None => {
                        let wave = payload["wave"].as_u64().unwrap_or_default();
                        Some(stages.partition_point(|stage| u64::from(stage.wave) <= wave))
                    }
                };
                let mode = serde_json::from_value(payload["mode"].clone());
                let mode = mode.map_err(|error| unexpected("mode", &error.to_string()))?;
                self.next_document(from.unwrap_or(stages.len()), mode, looped)
                    .await
            }
            "next" => {
                shared.bill.add_one(Unit::S3Get);
                self.next_row(&payload)
            }
            "record" => self.record_failure(payload).await,
            "finish" => {
                shared.bill.add_one(Unit::S3Get);
                self.read_unseen();
                self.write(WRITES_OF_AN_END).await?;
                if shared.failed.borrow().is_empty() {
                    return Ok(json!({"again": false}));
                }
                Err(TaskError::new("Precip.RunFailed", "partitions failed"))
            }
            other => Err(unexpected("request", other)),
        }
    }
}

impl Planner {
    async fn write(&self, units: f64) -> Result<(), TaskError> {
        self.0.call_table(RUN_KEY, Access::Write, units).await
    }

    /// Reads the rows of partitions that the run has published and the reactor has not seen: the
    /// planner looks for a trace of each.
    fn read_unseen(&self) {
        let unseen = to_f64(self.0.unseen.get());
        self.0.bill.add(Unit::DynamoDbRead, unseen);
    }

    fn choose_mode(&self) -> Result<Mode, TaskError> {
        let shared = &self.0;
        // Each pair leaves several events, so a plan of that many does not fit.
        let pairs: u64 = shared.planned.plan.pair_count();
        if pairs > precip_core::machine::INLINE_EVENTS as u64 {
            return Ok(Mode::Distributed);
        }
        let work = self.work(|_| true)?;
        Ok(Mode::of_work(&work, &shared.layout, &shared.graph))
    }

    /// Returns the work of the stages of some waves, without what failures hold back.
    fn work(&self, in_wave: impl Fn(&LayoutStage) -> bool) -> Result<Work, TaskError> {
        let shared = &self.0;
        let lineage = Lineage::new(&shared.graph, &shared.planned.context);
        let plan = &shared.planned.plan;
        let held = self.held_back()?;
        let mut wanted = BTreeMap::new();
        for stage in shared.layout.stages.iter().filter(|stage| in_wave(stage)) {
            wanted.extend(stage.steps.iter().map(|step| (step.op.as_str(), ())));
        }
        let ops: BTreeMap<StepId, &str> = plan
            .steps()
            .map(|(id, _, step)| (id, step.op.as_str()))
            .collect();
        let work = Work::new(lineage, &shared.layout, plan, |id, set| {
            if !ops.get(&id).is_some_and(|op| wanted.contains_key(op)) {
                return PartitionSet::empty();
            }
            held.get(&id).map_or_else(|| set.clone(), |held| set - held)
        });
        work.map_err(|error| unexpected("plan", &error.to_string()))
    }

    /// Returns what failures hold back, by step.
    fn held_back(&self) -> Result<BTreeMap<StepId, PartitionSet>, TaskError> {
        let shared = &self.0;
        let mut held: BTreeMap<StepId, PartitionSet> = BTreeMap::new();
        let failed = shared.failed.borrow();
        if failed.is_empty() {
            return Ok(held);
        }
        let lineage = Lineage::new(&shared.graph, &shared.planned.context);
        fn failure(error: impl std::fmt::Display) -> TaskError {
            unexpected("plan", &error.to_string())
        }
        let mut frontier = Frontier::new(lineage, &shared.planned.plan).map_err(failure)?;
        for (step, partitions) in failed.iter() {
            let outcome = StepOutcome {
                failed: partitions.clone(),
                losses: vec![Loss {
                    asset: None,
                    partitions: partitions.clone(),
                    cause: LossCause::Failed,
                }],
                ..StepOutcome::default()
            };
            let found = frontier
                .record_outcome(lineage, *step, &outcome)
                .map_err(failure)?;
            for withheld in found {
                *held.entry(withheld.step).or_default() |= &withheld.partitions;
            }
        }
        Ok(held)
    }

    async fn next_document(
        &self,
        from: usize,
        mode: Mode,
        looped: bool,
    ) -> Result<Value, TaskError> {
        let shared = &self.0;
        let layout = &shared.layout;
        let first_wave = layout.stages.get(from).map(|stage| stage.wave);
        let waves = first_wave.map_or(0..0, |wave| wave..layout.wave_count());
        for wave in waves {
            let work = self.work(|stage| stage.wave == wave)?;
            let of_wave =
                |work: &StageWork| work.stage >= from && layout.stages[work.stage].wave == wave;
            let mut stages: Vec<StageWork> = work.stages.into_iter().filter(of_wave).collect();
            if stages.is_empty() {
                continue;
            }
            self.write(WRITES_OF_A_WAVE).await?;
            let mut document = self.document(mode, wave);
            if looped {
                stages.truncate(1);
            }
            let budget = ConcurrencyBudget {
                functions: shared.functions.get(),
                pools: &shared.pool_limits(),
            };
            let shares = budget.divide(&stages, layout, &shared.graph);
            for (work, functions) in stages.into_iter().zip(shares) {
                let concurrency = match mode {
                    Mode::Distributed => StageConcurrency::distributed(functions, work.items.len()),
                    Mode::Inline | Mode::Nothing => StageConcurrency::inline(functions),
                };
                let stage = &layout.stages[work.stage];
                let per_row = stage.items_per_row(&work.items, concurrency, &shared.graph);
                if looped {
                    document.stage = Some(self.loop_stage(work, concurrency, per_row, mode)?);
                    break;
                }
                let (items, key) = if mode == Mode::Distributed {
                    let key = self.write_manifest(stage, work.items, per_row)?;
                    (None, Some(key))
                } else {
                    (Some(work.items), None)
                };
                let handed = StageDocument {
                    items,
                    key,
                    concurrency,
                };
                document.stages.insert(stage.name.clone(), handed);
            }
            return to_json(&document);
        }
        to_json(&self.document(mode, layout.wave_count()))
    }

    fn document(&self, mode: Mode, wave: u32) -> WaveDocument {
        WaveDocument {
            run: run_id(),
            mode,
            wave,
            redrive: 0,
            functions_at_once: self.0.functions.get(),
            max_concurrency: 0,
            stages: BTreeMap::new(),
            stage: None,
            message: None,
        }
    }

    fn loop_stage(
        &self,
        work: StageWork,
        concurrency: StageConcurrency,
        items_per_row: usize,
        mode: Mode,
    ) -> Result<LoopStage, TaskError> {
        let shared = &self.0;
        let stage = &shared.layout.stages[work.stage];
        let to_loop_item = |item: Item| {
            let steps = stage.steps.iter();
            let taken = steps.filter(|step| item.steps.contains_key(&step.name));
            let todo = taken.filter_map(|step| {
                let op = shared.graph.op(shared.graph.op_id(&step.op)?);
                Some(LoopStep {
                    name: step.name.clone(),
                    kind: step_kind(op),
                })
            });
            LoopItem {
                todo: todo.collect(),
                item,
            }
        };
        let items: Vec<LoopItem> = work.items.into_iter().map(to_loop_item).collect();
        let (items, key) = if mode == Mode::Distributed {
            (
                None,
                Some(self.write_manifest(stage, items, items_per_row)?),
            )
        } else {
            (Some(items), None)
        };
        Ok(LoopStage {
            name: stage.name.clone(),
            in_order: stage.in_order,
            items,
            key,
            concurrency,
        })
    }

    fn write_manifest<T: Serialize>(
        &self,
        stage: &LayoutStage,
        items: Vec<T>,
        items_per_row: usize,
    ) -> Result<String, TaskError> {
        let shared = &self.0;
        let lines = manifest_lines(items, items_per_row, stage.in_order)
            .map_err(|error| unexpected("item", &error.to_string()))?;
        let key = format!("wave-{}/{}.jsonl", stage.wave, stage.name);
        shared.files.borrow_mut().insert(key.clone(), lines);
        shared.count_put();
        Ok(key)
    }

    fn next_row(&self, payload: &Value) -> Result<Value, TaskError> {
        let files = self.0.files.borrow();
        let content = files.get(payload["key"].as_str().unwrap_or_default());
        let row = payload["row"].as_u64().unwrap_or_default();
        let row = usize::try_from(row).unwrap_or_default();
        let mut lines = content
            .map(Vec::as_slice)
            .unwrap_or_default()
            .split(|byte| *byte == b'\n');
        let line = lines.nth(row).filter(|line| !line.is_empty());
        let rows = line.map(serde_json::from_slice).transpose();
        let rows = rows.map_err(|error| unexpected("row", &error.to_string()))?;
        to_json(&RowDocument {
            row: row + 1,
            rows: rows.into_iter().collect(),
        })
    }

    async fn record_failure(&self, payload: Value) -> Result<Value, TaskError> {
        #[derive(serde::Deserialize)]
        struct Request {
            stage: StepName,
            item: Item,
            #[serde(flatten)]
            failed: FailedStep,
        }
        let shared = &self.0;
        let request: Request = serde_json::from_value(payload)
            .map_err(|error| unexpected("failure", &error.to_string()))?;
        let (name, _) = request
            .failed
            .get()
            .ok_or_else(|| unexpected("failure", "none"))?;
        let found = shared.layout.stage_named(request.stage.as_str());
        let (_, stage) = found.ok_or_else(|| unexpected("stage", request.stage.as_str()))?;
        let found = stage.step_named(name.as_str());
        let (index, step) = found.ok_or_else(|| unexpected("step", name.as_str()))?;
        let partitions = request
            .item
            .partitions_of(name)
            .cloned()
            .unwrap_or_default();
        let writes = WRITES_OF_A_FAILURE * to_f64(partitions.len());
        self.write(writes.min(900.0)).await?;
        for (id, planned, of_plan) in shared.planned.plan.steps() {
            let own = &planned.partitions & &partitions;
            if of_plan.op == step.op && !own.is_empty() {
                *shared.failed.borrow_mut().entry(id).or_default() |= &own;
            }
        }
        to_json(&ItemDocument {
            run: run_id(),
            redrive: None,
            item: stage.left_after(&request.item, index, None),
        })
    }
}

/// Returns the id of the simulated run.
fn run_id() -> RunId {
    RunId::new(ulid::Ulid::from_parts(0, 1))
}

fn to_json(document: &impl Serialize) -> Result<Value, TaskError> {
    serde_json::to_value(document).map_err(|error| unexpected("document", &error.to_string()))
}
