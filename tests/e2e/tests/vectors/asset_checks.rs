//! `asset_checks.json`: Asset checks and what a failed one blocks.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use chrono::DateTime;
use futures::{executor::block_on, future::pending};
use precip_core::{
    checks::{asset_step_name, check_step_name},
    graph::AssetSet,
    key::{AssetKey, CheckKey},
    metadata::Metadata,
    partitions::PartitionContext,
    plan::{
        AssetStatuses, CheckSelection, Frontier, Lineage, PartitionSelector, Plan, PlanError,
        PlanRequest, Step,
    },
    spec::{AssetSpec, CheckSpec, DepSpec, OpSpec, Severity},
};
use precip_engine::{
    asset::{
        AssetContext, AssetError, CheckOutput, CheckResult, Inputs, OpBody, OpOutput, OpOutputs,
        Resources,
    },
    definitions::{Definitions, OpDefinition, OpenEnvironment},
    run::{
        InlineOpRunner, RunPorts, RunSession, Sleeper, SystemClock, SystemRandomness, new_run_id,
    },
    state::{CheckOutcome, memory::MemoryStore},
};
use serde_json::{Value, json};

use crate::kind::{Kind, Mismatch};

/// Asset checks and what a failed one blocks.
pub(crate) struct AssetChecks;

impl Kind for AssetChecks {
    const FILE: &'static str = "asset_checks.json";

    type Shared = ();

    fn shared(_body: &Value) -> Self::Shared {}

    fn check(case: &Value, _shared: &Self::Shared) -> Result<(), Mismatch> {
        let expect = &case["expect"];
        match answer(case) {
            Err(_) if expect["error"].is_string() => Ok(()),
            Err(refusal) => Err(Mismatch::new(expect, refusal.to_string())),
            Ok(answer) if expect["error"].is_string() => Err(Mismatch::new(expect, answer)),
            Ok(answer) => {
                for (what, ours) in answer.as_object().unwrap() {
                    Mismatch::unless_equal(what, &sorted(&expect[what]), &sorted(ours))?;
                }
                Ok(())
            }
        }
    }
}

/// The order of what is listed means nothing.
fn sorted(answer: &Value) -> Value {
    match answer {
        Value::Array(list) => {
            let mut list = list.clone();
            list.sort_by_key(Value::to_string);
            list.into()
        }
        Value::Object(by_name) => {
            let by_name: BTreeMap<_, _> = by_name.iter().collect();
            json!(by_name)
        }
        other => other.clone(),
    }
}

/// Runs a case as a run of its own, through the use cases that every run goes through.
fn answer(case: &Value) -> Result<Value, PlanError> {
    let definitions = Arc::new(definitions(&case["assets"]));
    let graph = definitions.graph();
    let context = PartitionContext::at(DateTime::UNIX_EPOCH);
    let assets = match case["select"].as_array() {
        None => graph.all_assets(),
        Some(keys) => keys
            .iter()
            .map(|key| graph.id(&asset_key(key)).unwrap())
            .collect::<AssetSet>(),
    };
    let mut request = PlanRequest::new(assets, PartitionSelector::default());
    if case["without_checks"] == true {
        request.checks = CheckSelection::None;
    }
    let lineage = Lineage::new(graph, &context);
    let plan = Plan::new(lineage, &request, &AssetStatuses::default())?;
    let session = session(&definitions, &context, &plan);
    let mut schedule = Frontier::new(lineage, &plan)?;
    let (mut steps, mut materialized, mut evaluations) = (BTreeMap::new(), Vec::new(), Vec::new());
    while let Some(ready) = schedule.take_ready(lineage, |_| true)? {
        let step = &plan.stages[ready.step.stage].steps[ready.step.step];
        let outcome = block_on(session.run_item(step, &ready.partitions)).unwrap();
        schedule.record_outcome(lineage, ready.step, &outcome.step_outcome(step))?;
        let ended = if outcome.failed.is_empty() {
            "SUCCESS"
        } else {
            "FAILURE"
        };
        steps.insert(step_name(step), ended);
        materialized.extend(outcome.materialized.into_iter().map(|target| target.asset));
        evaluations.extend(
            outcome
                .checks
                .iter()
                .filter(|found| found.outcome != CheckOutcome::Errored)
                .map(|found| {
                    let passed = found.outcome == CheckOutcome::Passed;
                    json!([found.check.asset, found.check.name, passed, found.severity])
                }),
        );
    }
    assert!(schedule.is_finished(), "an item never becomes ready");
    Ok(json!({
        "run_success": schedule.tally().failed == 0,
        "materialized": materialized,
        "steps": steps,
        "check_evaluations": evaluations,
    }))
}

fn step_name(step: &Step) -> String {
    match step.assets.first() {
        Some(asset) => asset_step_name(asset),
        None => check_step_name(&step.checks[0]),
    }
}

fn session(definitions: &Arc<Definitions>, context: &PartitionContext, plan: &Plan) -> RunSession {
    let ports = RunPorts::system(
        Arc::new(MemoryStore::new()),
        Arc::new(Never),
        Arc::new(InlineOpRunner),
    );
    let run = new_run_id(&SystemClock, &SystemRandomness);
    let open = OpenEnvironment::default();
    RunSession::new(
        Arc::clone(definitions),
        ports,
        context.clone(),
        run,
        plan,
        open,
    )
}

/// No body here takes long enough for its timeout.
#[derive(Debug)]
struct Never;

#[async_trait]
impl Sleeper for Never {
    async fn sleep(&self, _: Duration) {
        pending().await
    }
}

fn definitions(assets: &Value) -> Definitions {
    let mut builder = Definitions::builder();
    for node in assets.as_array().unwrap() {
        let key = asset_key(&node["key"]);
        let mut spec = AssetSpec::new(key.clone());
        spec.deps = deps(&node["deps"]);
        let inline = list(&node["inline_checks"]);
        let mut op = OpSpec::single(spec);
        op.checks = inline.iter().map(|check| check_spec(&key, check)).collect();
        let body = Body {
            makes: Some(key.clone()),
            raises: node["fails"] == true,
            finds: inline.iter().map(|check| finding(&key, check)).collect(),
        };
        builder = builder.op(OpDefinition::new(op, body));
        for check in list(&node["checks"]) {
            let body = Body {
                makes: None,
                raises: check["raises"] == true,
                finds: vec![finding(&key, &check)],
            };
            builder = builder.op(OpDefinition::new(
                OpSpec::check(check_spec(&key, &check)),
                body,
            ));
        }
    }
    builder.build().unwrap()
}

fn list(written: &Value) -> Vec<Value> {
    written.as_array().cloned().unwrap_or_default()
}

fn asset_key(written: &Value) -> AssetKey {
    written.as_str().unwrap().parse().unwrap()
}

fn deps(written: &Value) -> Vec<DepSpec> {
    list(written)
        .iter()
        .map(|dep| DepSpec::new(asset_key(dep)))
        .collect()
}

fn check_key(asset: &AssetKey, check: &Value) -> CheckKey {
    CheckKey {
        asset: asset.clone(),
        name: check["name"].as_str().unwrap().to_owned(),
    }
}

fn check_spec(asset: &AssetKey, check: &Value) -> CheckSpec {
    CheckSpec {
        blocking: check["blocking"] == true,
        additional_deps: deps(&check["additional_deps"]),
        ..CheckSpec::new(check_key(asset, check))
    }
}

fn finding(asset: &AssetKey, check: &Value) -> CheckOutput {
    let severity: Severity = serde_json::from_value(check["severity"].clone()).unwrap();
    CheckOutput {
        check: check_key(asset, check),
        partition: None,
        result: CheckResult::passed_if(check["passed"] == true).severity(severity),
    }
}

/// An op with the outcome of a case.
struct Body {
    makes: Option<AssetKey>,
    raises: bool,
    finds: Vec<CheckOutput>,
}

#[async_trait]
impl OpBody for Body {
    async fn run_op(
        &self,
        _: AssetContext,
        _: Inputs,
        _: &Resources,
    ) -> Result<OpOutputs, AssetError> {
        if self.raises {
            return Err(AssetError::retryable("the case says so"));
        }
        let made = self.makes.iter().map(|asset| OpOutput {
            asset: asset.clone(),
            partition: None,
            value: None,
            metadata: Metadata::new(),
            data_version: None,
        });
        Ok(OpOutputs {
            made: made.collect(),
            checks: self.finds.clone(),
            ..OpOutputs::default()
        })
    }
}
