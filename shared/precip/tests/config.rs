//! Run config, as each way to start a run reads it.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::{collections::BTreeMap, sync::Arc};

use precip::{
    core::plan::CheckSelection,
    engine::{
        machine::{AccountSettings, ExecutionRef, MemoryFiles, Planner, PlannerRequest},
        run::{SystemClock, SystemRandomness, plan_run},
        state::{PageRequest, RequestedWork, RunFilter, StateStore, memory::MemoryStore},
    },
    prelude::*,
};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Limits {
    limit: i64,
}

/// Config of nested structs, with a variant of its own for each kind of source.
#[derive(Debug, Deserialize)]
struct Options {
    #[serde(default)]
    sources: BTreeMap<String, Source>,
    #[serde(flatten)]
    limits: Limits,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Source {
    File { limits: Option<Limits> },
}

#[asset]
fn nested(#[config] options: Options) -> i64 {
    let limit = |source: &Source| match source {
        Source::File { limits } => limits.as_ref().map_or(0, |limits| limits.limit),
    };
    options.limits.limit + options.sources.values().map(limit).sum::<i64>()
}

/// Config without `Debug`.
#[derive(Deserialize)]
struct Plain {
    #[serde(flatten)]
    limits: Limits,
    #[serde(flatten)]
    extra: BTreeMap<String, i64>,
}

#[asset]
fn open(#[config] plain: Plain) -> i64 {
    plain.limits.limit + plain.extra.values().sum::<i64>()
}

fn project_definitions() -> Definitions {
    let builder = Definitions::builder().asset::<nested>().asset::<open>();
    builder.build().unwrap()
}

/// Returns the message of a refused config, and checks that no way to start a run accepts it and that no run is
/// recorded.
async fn refusal_of(config: Value) -> String {
    let definitions = Arc::new(project_definitions());
    let state: Arc<dyn StateStore> = Arc::new(MemoryStore::new());
    let request = RequestedWork {
        selection: "*".to_owned(),
        config: config.clone(),
        ..RequestedWork::default()
    };
    let now = "2024-01-01T00:00:00Z".parse().unwrap();
    let planned = plan_run(&definitions, &state, now, &request, CheckSelection::All).await;
    let message = planned.unwrap_err().to_string();

    // The planner of a deployment gives the same answer to what is typed in the console.
    let planner = Planner::new(
        Arc::clone(&definitions),
        Arc::clone(&state),
        Arc::new(MemoryFiles::default()),
        Arc::new(SystemClock),
        Arc::new(SystemRandomness),
    );
    let start = PlannerRequest::Plan {
        input: json!({"select": "*", "config": config}),
        execution: ExecutionRef {
            id: "arn:execution:1".to_owned(),
            name: "1".to_owned(),
            redrive: 0,
        },
        account: AccountSettings::default(),
        looped: false,
    };
    let refused = planner.unwrap().handle_request(start).await.unwrap_err();
    assert_eq!(refused.to_string(), message);
    let runs = state
        .list_runs(&RunFilter::default(), &PageRequest::first(10))
        .await
        .unwrap();
    assert!(runs.items.is_empty());
    message
}

#[tokio::test]
async fn an_unknown_field_is_refused_before_a_run_is_recorded() {
    for (config, message) in [
        (
            json!({"nested": {"limt": 5}}),
            "the run config of op `nested`: config `limt`: unknown field: did you mean `limit`?",
        ),
        (
            json!({"nested": {"sources": {"a": {"kind": "file", "limits": {"limt": 1}}}}}),
            "the run config of op `nested`: config `sources.a.limits.limt`: unknown field: did \
             you mean `limit`?",
        ),
        (
            json!({"nested": {"sources": {"a": {"kind": "file", "limit": 1}}}}),
            "the run config of op `nested`: config `sources.a.limit`: unknown field: did you mean \
             `limits`?",
        ),
    ] {
        assert_eq!(refusal_of(config).await, message);
    }
    let given = json!({
        "limit": 1,
        "sources": {"a": {"kind": "file", "limits": {"limit": 2}}},
    });
    let checked = project_definitions();
    for (op, config) in [
        ("nested", given),
        ("nested", Value::Null),
        // The map takes every name, whether the type can be shown or not.
        ("open", json!({"limit": 1, "limt": 2})),
    ] {
        let spec = checked.op_named(op).unwrap().config.as_ref().unwrap();
        spec.check_config(&config).unwrap();
    }
}
