//! Properties of the machines of every graph.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet},
    num::NonZeroU32,
    rc::Rc,
    sync::Arc,
};

use async_trait::async_trait;

use precip_core::{
    graph::AssetGraph,
    machine::{ITEMS_PER_ROW, Item, Layout, Row, StepName, Work, divide_into_rows},
    mapping::PartitionMapping,
    partitions::{PartitionContext, PartitionsDefinition, TimeWindowPartitions},
    plan::{AssetStatuses, Lineage, PartitionSelector, Plan, PlanRequest},
    spec::{AssetSpec, BackfillPolicy, DepSpec, OpSpec, RetryPolicy},
};
use precip_simulator::{
    bill::Bill,
    kernel::Kernel,
    step_functions::{ExecutionOutcome, Ports, StepFunctions},
    task::{Functions, Objects, TaskError},
};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{BACKFILL, CompileOptions, Machines, PLANNER, compile_machines};
use crate::{
    check::{check_machine, walk},
    model::{State, StateMachine},
};

fn fixed_context() -> PartitionContext {
    PartitionContext::at("2024-06-09T12:00:00Z".parse().unwrap())
}

/// Returns a graph from random numbers: for each op a kind, a policy and its upstream.
fn drawn_graph(drawn: &[(u8, u8, Vec<u8>)]) -> AssetGraph {
    let daily = TimeWindowPartitions::daily("2024-06-05").build().unwrap();
    let days = Arc::new(PartitionsDefinition::from(daily));
    let mut ops: Vec<OpSpec> = Vec::new();
    for (index, (kind, policy, deps)) in drawn.iter().enumerate() {
        let mut asset = AssetSpec::new(format!("n/{index}").parse().unwrap());
        asset.partitions = (kind % 4 != 3).then(|| Arc::clone(&days));
        // Assets depend on earlier ones only, so the graph has no cycle.
        for (above, choice) in deps.iter().enumerate().take(index) {
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
        // Some assets depend on their own previous day: their stages run in order.
        if kind % 8 == 1 {
            let mut dep = DepSpec::new(asset.key.clone());
            dep.mapping = Some(PartitionMapping::TimeWindow {
                start_offset: -1,
                end_offset: -1,
                allow_nonexistent_upstream_partitions: true,
            });
            asset.deps.push(dep);
        }
        let partitioned = asset.partitions.is_some();
        let mut op = OpSpec::single(asset);
        op.backfill = match policy % 4 {
            3 if partitioned => BackfillPolicy::MultiRun(NonZeroU32::new(3).unwrap()),
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

/// Tells whether a step fails for an item.
type Fails = dyn Fn(&str, &Item) -> bool;

/// A planner that hands out planned work, and functions that fail for some items.
struct Project {
    layout: Layout,
    work: Work,
    distributed: bool,
    fails: Box<Fails>,
    /// The calls so far: stage, step and item.
    called: RefCell<Vec<(String, String, String)>>,
    /// The number of redrives so far.
    redriven: Cell<u32>,
}

impl Project {
    fn wave_document(&self, wave: u32) -> Value {
        let mut stages = serde_json::Map::new();
        let mode = if self.distributed {
            "distributed"
        } else {
            "inline"
        };
        for work in &self.work.stages {
            let stage = &self.layout.stages[work.stage];
            if stage.wave == wave {
                let value = if self.distributed {
                    json!({"key": work.stage.to_string(), "rows_at_once": 9, "items_at_once": 7})
                } else {
                    json!({"items": work.items, "rows_at_once": 1, "items_at_once": 7})
                };
                stages.insert(stage.name.to_string(), value);
            }
        }
        json!({
            "run": "r", "mode": mode, "wave": wave, "redrive": self.redriven.get(), "functions_at_once": 63,
            "stages": stages,
        })
    }

    fn rows(&self, key: &str) -> Vec<Row> {
        let index: usize = key.parse().unwrap();
        let work = self.work.stages.iter().find(|work| work.stage == index);
        let in_order = self.layout.stages[index].in_order;
        let rows =
            divide_into_rows(work.unwrap().items.clone(), ITEMS_PER_ROW, in_order).into_iter();
        rows.map(|items| Row { items }).collect()
    }
}

#[async_trait(?Send)]
impl Functions for Project {
    async fn call_function(&self, function: &str, payload: Value) -> Result<Value, TaskError> {
        let text = |field: &str| payload[field].as_str().unwrap().to_owned();
        if function != PLANNER {
            let item: Item = serde_json::from_value(payload["item"].clone()).unwrap();
            // Retries are calls too: only the first attempt counts.
            if payload["retry"] == 0 {
                let call = (text("stage"), text("step"), ordinals_of(&item));
                self.called.borrow_mut().push(call);
            }
            return if (self.fails)(&text("step"), &item) {
                Err(TaskError::new("Precip.Retryable", "by chance"))
            } else {
                Ok(Value::Null)
            };
        }
        match text("do").as_str() {
            "plan" => Ok(self.wave_document(0)),
            "settle" => {
                Ok(self
                    .wave_document(u32::try_from(payload["wave"].as_u64().unwrap()).unwrap() + 1))
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
                let (_, stage) = self.layout.stage_named(&text("stage")).unwrap();
                let failed = payload["failed"].as_object().unwrap();
                assert_eq!(failed.len(), 1);
                let (step, _) = stage.step_named(failed.keys().next().unwrap()).unwrap();
                let item: Item = serde_json::from_value(payload["item"].clone()).unwrap();
                let left = stage.left_after(&item, step, None);
                Ok(json!({"run": "r", "item": left}))
            }
            // The first end answers a document, as after a redrive; the second ends the run.
            "finish" if self.redriven.get() == 0 => {
                self.redriven.set(1);
                let mut document = self.wave_document(0);
                document["again"] = true.into();
                Ok(document)
            }
            "finish" => Err(TaskError::new("Precip.RunFailed", "as planned")),
            other => panic!("the machine sent an unexpected call `{other}`"),
        }
    }
}

#[async_trait(?Send)]
impl Objects for Project {
    async fn read_object(&self, _: &str, key: &str) -> Result<Vec<u8>, TaskError> {
        let rows = self.rows(key).into_iter();
        let lines: Vec<String> = rows
            .map(|row| serde_json::to_string(&row).unwrap())
            .collect();
        Ok(lines.join("\n").into_bytes())
    }

    async fn write_object(&self, _: &str, _: &str, _: Vec<u8>) -> Result<(), TaskError> {
        Ok(())
    }
}

/// Runs the machine that people start, and the machine that it starts.
fn run_machines(machines: &Machines, project: Rc<Project>) -> ExecutionOutcome {
    let mut kernel = Kernel::new(fixed_context().now);
    let service = StepFunctions::new(Ports {
        functions: project.clone(),
        objects: project,
        time: kernel.time(),
        tasks: kernel.tasks(),
        bill: Bill::default(),
    });
    let mut values = BTreeMap::new();
    // The simulator depends on this crate as it is without tests, whose types are others.
    let create = |name, machine: &StateMachine, values: &BTreeMap<String, String>| {
        let definition = serde_json::to_value(machine).unwrap();
        let machine = serde_json::from_value(definition).unwrap();
        service.create_machine(name, &machine, values).unwrap()
    };
    values.insert(
        BACKFILL.to_owned(),
        create("backfill", &machines.backfill, &values),
    );
    let run = create("run", &machines.run, &values);
    let input = json!({"select": "*"});
    kernel
        .run(service.run_execution(&run, None, input))
        .unwrap()
}

fn ordinals_of(item: &Item) -> String {
    serde_json::to_value(item).unwrap()["o"].to_string()
}

/// Returns the calls that the plan requires, given the failures.
fn expected_calls(
    layout: &Layout,
    work: &Work,
    fails: &dyn Fn(&str, &Item) -> bool,
) -> Vec<(String, String, String)> {
    let mut called = Vec::new();
    for work in &work.stages {
        let stage = &layout.stages[work.stage];
        for item in &work.items {
            // Steps that failed, or depend on one that did.
            let mut lost: BTreeSet<usize> = BTreeSet::new();
            for (index, step) in stage.steps.iter().enumerate() {
                if !item.steps.contains_key(&step.name) {
                    continue;
                }
                if step.after.iter().any(|before| lost.contains(before)) {
                    lost.insert(index);
                    continue;
                }
                called.push((
                    stage.name.to_string(),
                    step.name.to_string(),
                    ordinals_of(item),
                ));
                if fails(step.name.as_str(), item) {
                    lost.insert(index);
                }
            }
        }
    }
    called
}

/// Returns the number of tasks that a machine has for each step.
fn tasks_per_step(machine: &StateMachine) -> BTreeMap<(String, String), usize> {
    let mut tasks = BTreeMap::new();
    walk::visit_states(machine, &mut |_, state| {
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
    fn every_step_has_one_task_and_machines_have_no_findings(drawn in any_drawn()) {
        let graph = drawn_graph(&drawn);
        let layout = Layout::from_graph(&graph).unwrap();
        let machines = compile_machines(&graph, &layout, &CompileOptions::new("p")).unwrap();
        let planned = layout.stages.iter().flat_map(|stage| {
            let name = |step: &StepName| (stage.name.to_string(), step.to_string());
            stage.steps.iter().map(move |step| (name(&step.name), 1))
        });
        let steps: BTreeMap<_, usize> = planned.collect();
        for machine in [&machines.run, &machines.backfill] {
            prop_assert_eq!(check_machine(machine), []);
            prop_assert_eq!(&tasks_per_step(machine), &steps);
        }
    }

    #[test]
    fn machines_call_what_is_planned_except_downstream_of_failures(
        drawn in any_drawn(),
        asked in any::<u8>(),
        distributed in any::<bool>(),
        bad in any::<u64>(),
    ) {
        let graph = drawn_graph(&drawn);
        let context = fixed_context();
        let lineage = Lineage::new(&graph, &context);
        let chosen = graph.ids().enumerate().filter(|(index, _)| asked & (1 << index) != 0);
        let assets = chosen.map(|(_, id)| id).collect();
        let request = PlanRequest::new(assets, PartitionSelector::all());
        let Ok(plan) = Plan::new(lineage, &request, &AssetStatuses::default()) else {
            return Ok(());
        };
        let layout = Layout::from_graph(&graph).unwrap();
        let work = Work::new(lineage, &layout, &plan, |_, set| set.clone()).unwrap();
        let machines = compile_machines(&graph, &layout, &CompileOptions::new("p")).unwrap();

        let fails = move |step: &str, item: &Item| {
            let sum: u64 = step.bytes().map(u64::from).sum();
            let number = sum + 7 * item.partitions.first().unwrap_or(0);
            bad & (1 << (number % 64)) != 0 && !number.is_multiple_of(3)
        };
        let project = Rc::new(Project {
            layout: layout.clone(),
            work: work.clone(),
            distributed,
            fails: Box::new(fails),
            called: RefCell::default(),
            redriven: Cell::default(),
        });
        let outcome = run_machines(&machines, Rc::clone(&project));
        // A failure of the machine that is waited for is one of the task that waits.
        let error = outcome.error.unwrap();
        prop_assert!(error.to_string().contains("Precip.RunFailed"), "{error}");
        // The planner hands the same work out twice, the second time as the work that is left.
        let once = expected_calls(&layout, &work, &fails);
        let mut called = project.called.take();
        let half = called.split_off(called.len() / 2);
        for called in [&called, &half] {
            // Stages in order have to call in exactly the planned order, the others in any.
            let in_order = |stage: &str| layout.stage_named(stage).is_some_and(|(_, s)| s.in_order);
            for (stage, _) in layout.stages.iter().zip(0..).filter(|(s, _)| in_order(s.name.as_str())) {
                let of = |calls: &[(String, String, String)]| -> Vec<String> {
                    let of_stage = calls.iter().filter(|(s, ..)| s == stage.name.as_str());
                    of_stage.map(|(.., item)| item.clone()).collect()
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
