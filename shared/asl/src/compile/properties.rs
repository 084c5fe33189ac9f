//! What holds of the machines of every graph.

use std::{
    collections::{BTreeMap, BTreeSet},
    num::NonZeroU32,
    sync::Arc,
};

use precip_core::{
    graph::AssetGraph,
    machine::{Item, Layout, Row, StepName, Work, rows},
    mapping::PartitionMapping,
    partitions::{PartitionContext, PartitionsDefinition, TimeWindowPartitions},
    plan::{Lineage, PartitionSelector, Plan, PlanRequest, Record},
    spec::{AssetSpec, BackfillPolicy, DepSpec, OpSpec, RetryPolicy},
};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{
    CompileOptions, compile,
    simulation::{World, run},
};
use crate::{
    check::{check, walk},
    model::{State, StateMachine},
};

fn context() -> PartitionContext {
    PartitionContext::at("2024-06-09T12:00:00Z".parse().unwrap())
}

/// A graph from numbers to choose by: a kind, a policy, and what it is made from.
fn drawn_graph(drawn: &[(u8, u8, Vec<u8>)]) -> AssetGraph {
    let days = TimeWindowPartitions::daily("2024-06-05").build().unwrap();
    let days = Arc::new(PartitionsDefinition::from(days));
    let mut ops: Vec<OpSpec> = Vec::new();
    for (place, (kind, policy, deps)) in drawn.iter().enumerate() {
        let mut asset = AssetSpec::new(format!("n/{place}").parse().unwrap());
        asset.partitions = (kind % 4 != 3).then(|| Arc::clone(&days));
        for (above, choice) in deps.iter().enumerate().take(place) {
            let mut dep = DepSpec::new(format!("n/{above}").parse().unwrap());
            match choice % 4 {
                0 | 1 => {}
                2 if asset.partitions.is_some() && ops[above].assets[0].partitions.is_some() => {
                    dep.mapping = Some(PartitionMapping::All);
                }
                _ => continue,
            }
            asset.deps.push(dep);
        }
        if kind % 8 == 1 {
            let mut dep = DepSpec::new(asset.key.clone());
            dep.mapping = Some(PartitionMapping::TimeWindow {
                start_offset: -1,
                end_offset: -1,
                allow_nonexistent_upstream_partitions: true,
            });
            asset.deps.push(dep);
        }
        let divided = asset.partitions.is_some();
        let mut op = OpSpec::single(asset);
        op.backfill = match policy % 4 {
            3 if divided => BackfillPolicy::MultiRun(NonZeroU32::new(3).unwrap()),
            _ => BackfillPolicy::PerPartition,
        };
        op.pool = (policy % 8 == 1).then(|| "pool".to_owned());
        op.retry = (policy % 3 == 1).then(|| RetryPolicy {
            max_retries: 2,
            delay: std::time::Duration::ZERO,
            backoff: precip_core::spec::Backoff::default(),
            jitter: precip_core::spec::Jitter::default(),
        });
        ops.push(op);
    }
    AssetGraph::new(ops, vec![]).unwrap()
}

/// Stages as the planner hands them out, and functions that fail for some items.
struct Project<'a> {
    layout: &'a Layout,
    work: &'a Work,
    distributed: bool,
    fails: &'a dyn Fn(&str, &Item) -> bool,
    /// What was called: stage, step and item.
    called: Vec<(String, String, String)>,
    redriven: u32,
}

impl Project<'_> {
    fn document(&self, wave: u32) -> Value {
        let mut stages = serde_json::Map::new();
        let mode = if self.distributed {
            "distributed"
        } else {
            "inline"
        };
        for work in &self.work.stages {
            let stage = &self.layout.stages[work.stage];
            if stage.wave == wave {
                let value = match self.distributed {
                    true => json!({"key": work.stage.to_string()}),
                    false => json!({"items": work.items}),
                };
                stages.insert(stage.name.to_string(), value);
            }
        }
        json!({
            "run": "r", "mode": mode, "wave": wave, "redrive": self.redriven, "max_concurrency": 9,
            "stages": stages,
        })
    }

    fn rows(&self, key: &str) -> Vec<Row> {
        let place: usize = key.parse().unwrap();
        let work = self.work.stages.iter().find(|work| work.stage == place);
        let in_order = self.layout.stages[place].in_order;
        let rows = rows(work.unwrap().items.clone(), in_order).into_iter();
        rows.map(|items| Row { items }).collect()
    }
}

impl World for Project<'_> {
    fn call(&mut self, function: &str, payload: &Value) -> Result<Value, String> {
        let text = |field: &str| payload[field].as_str().unwrap().to_owned();
        if function != "${PlannerArn}" {
            let item: Item = serde_json::from_value(payload["item"].clone()).unwrap();
            assert_eq!(payload["redrive"], self.redriven);
            if payload["retry"] == 0 {
                self.called
                    .push((text("stage"), text("step"), written(&item)));
            }
            return match (self.fails)(&text("step"), &item) {
                true => Err("Precip.Retryable".to_owned()),
                false => Ok(Value::Null),
            };
        }
        match text("do").as_str() {
            "plan" => Ok(self.document(0)),
            "settle" => {
                Ok(self.document(u32::try_from(payload["wave"].as_u64().unwrap()).unwrap() + 1))
            }
            "next" => {
                let row = usize::try_from(payload["row"].as_u64().unwrap()).unwrap();
                let rows: Vec<Row> = self
                    .rows(&text("key"))
                    .into_iter()
                    .skip(row)
                    .take(1)
                    .collect();
                Ok(json!({"row": row + 1, "rows": rows}))
            }
            "record" => {
                let (_, stage) = self.layout.stage(&text("stage")).unwrap();
                let failed = payload["failed"].as_object().unwrap();
                assert_eq!(failed.len(), 1);
                let (step, _) = stage.step(failed.keys().next().unwrap()).unwrap();
                let item: Item = serde_json::from_value(payload["item"].clone()).unwrap();
                let left = stage.left_after(&item, step);
                Ok(json!({"run": "r", "redrive": payload["redrive"], "item": left}))
            }
            // Something is left over once.
            "finish" if self.redriven == 0 => {
                self.redriven = 1;
                let mut document = self.document(0);
                document["again"] = true.into();
                Ok(document)
            }
            "finish" => Err("Precip.RunFailed".to_owned()),
            other => panic!("`{other}` is not asked for"),
        }
    }

    fn read(&self, key: &str) -> Vec<Value> {
        let rows = self.rows(key).into_iter();
        rows.map(|row| serde_json::to_value(row).unwrap()).collect()
    }
}

fn written(item: &Item) -> String {
    serde_json::to_value(item).unwrap()["o"].to_string()
}

/// What has to be called, from what is planned and what fails.
fn expected(
    layout: &Layout,
    work: &Work,
    fails: &dyn Fn(&str, &Item) -> bool,
) -> Vec<(String, String, String)> {
    let mut called = Vec::new();
    for work in &work.stages {
        let stage = &layout.stages[work.stage];
        for item in &work.items {
            let mut lost: BTreeSet<usize> = BTreeSet::new();
            for (place, step) in stage.steps.iter().enumerate() {
                if !item.steps.contains_key(&step.name) {
                    continue;
                }
                if step.after.iter().any(|before| lost.contains(before)) {
                    lost.insert(place);
                    continue;
                }
                called.push((stage.name.to_string(), step.name.to_string(), written(item)));
                if fails(step.name.as_str(), item) {
                    lost.insert(place);
                }
            }
        }
    }
    called
}

/// How many tasks a machine has for each step.
fn tasks(machine: &StateMachine) -> BTreeMap<(String, String), usize> {
    let mut tasks = BTreeMap::new();
    walk::states(machine, &mut |_, state| {
        let State::Task(task) = state else { return };
        let payload = task.parameters.as_ref().and_then(|p| p.get("Payload"));
        let field = |name| payload.and_then(|p| p.get(name)).and_then(Value::as_str);
        if let (Some(stage), Some(step)) = (field("stage"), field("step")) {
            *tasks
                .entry((stage.to_owned(), step.to_owned()))
                .or_default() += 1;
        }
    });
    tasks
}

fn any_drawn() -> impl Strategy<Value = Vec<(u8, u8, Vec<u8>)>> {
    let deps = prop::collection::vec(any::<u8>(), 8);
    prop::collection::vec((any::<u8>(), any::<u8>(), deps), 1..8)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn every_step_has_one_task_and_nothing_is_wrong(drawn in any_drawn()) {
        let graph = drawn_graph(&drawn);
        let layout = Layout::of(&graph).unwrap();
        let machines = compile(&graph, &layout, &CompileOptions::new("p")).unwrap();
        let steps = layout.stages.iter().flat_map(|stage| {
            let name = |step: &StepName| (stage.name.to_string(), step.to_string());
            stage.steps.iter().map(move |step| (name(&step.name), 1))
        });
        let steps: BTreeMap<_, usize> = steps.collect();
        for machine in [&machines.run, &machines.backfill] {
            prop_assert_eq!(check(machine), []);
            prop_assert_eq!(&tasks(machine), &steps);
        }
    }

    #[test]
    fn machines_call_what_is_planned_and_nothing_that_needs_what_failed(
        drawn in any_drawn(),
        asked in any::<u8>(),
        distributed in any::<bool>(),
        bad in any::<u64>(),
    ) {
        let graph = drawn_graph(&drawn);
        let context = context();
        let lineage = Lineage::new(&graph, &context);
        let assets = graph.ids().enumerate().filter(|(place, _)| asked & (1 << place) != 0);
        let assets = assets.map(|(_, id)| id).collect();
        let request = PlanRequest::new(assets, PartitionSelector::all());
        let Ok(plan) = Plan::new(lineage, &request, &Record::default()) else {
            return Ok(());
        };
        let layout = Layout::of(&graph).unwrap();
        let work = Work::new(lineage, &layout, &plan, |_, set| set.clone()).unwrap();
        let machines = compile(&graph, &layout, &CompileOptions::new("p")).unwrap();

        let fails = |step: &str, item: &Item| {
            let step: u64 = step.bytes().map(u64::from).sum();
            let place = step + 7 * item.partitions.first().unwrap_or(0);
            bad & (1 << (place % 64)) != 0 && !place.is_multiple_of(3)
        };
        let mut project = Project {
            layout: &layout,
            work: &work,
            distributed,
            fails: &fails,
            called: Vec::new(),
            redriven: 0,
        };
        let outcome = run(&machines, &mut project, &json!({"select": "*"}));
        prop_assert_eq!(outcome, Err("Precip.RunFailed".to_owned()));
        // Done twice: once more for what the planner says is left.
        let once = expected(&layout, &work, &fails);
        let half = project.called.split_off(project.called.len() / 2);
        for called in [&project.called, &half] {
            let in_order = |stage: &str| layout.stage(stage).is_some_and(|(_, s)| s.in_order);
            for (stage, _) in layout.stages.iter().zip(0..).filter(|(s, _)| in_order(s.name.as_str())) {
                let of = |calls: &[(String, String, String)]| -> Vec<String> {
                    let calls = calls.iter().filter(|(s, ..)| s == stage.name.as_str());
                    calls.map(|(.., item)| item.clone()).collect()
                };
                prop_assert_eq!(of(called), of(&once));
            }
            let [mut called, mut once] = [(*called).clone(), once.clone()];
            called.sort();
            once.sort();
            prop_assert_eq!(called, once);
        }
    }
}
