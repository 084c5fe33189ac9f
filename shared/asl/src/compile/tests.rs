use std::{num::NonZeroU32, sync::Arc, time::Duration};

use precip_core::{
    graph::AssetGraph,
    key::{AssetKey, CheckKey},
    machine::Layout,
    mapping::PartitionMapping,
    partitions::{PartitionsDefinition, StaticPartitions, TimeWindowPartitions},
    selection::Selection,
    spec::{
        AssetSpec, BackfillPolicy, Backoff, CheckSpec, ComputeProfile, DepSpec, Jitter, OpSpec,
        RetryPolicy,
    },
};

use super::{CompileOptions, Machines, compile_machines};
use crate::{check::check_machine, model::StateMachine};

fn asset_key(text: &str) -> AssetKey {
    text.parse().unwrap()
}

fn asset_spec(
    name: &str,
    partitions: Option<&Arc<PartitionsDefinition>>,
    deps: &[&str],
) -> AssetSpec {
    let mut asset = AssetSpec::new(asset_key(name));
    asset.partitions = partitions.cloned();
    asset.deps = deps
        .iter()
        .map(|dep| DepSpec::new(asset_key(dep)))
        .collect();
    asset
}

/// Returns a graph of two waves: daily flights with a check and a multi-asset, a batched asset, and
/// one that depends on its own previous day.
fn workshop_graph() -> AssetGraph {
    let daily = TimeWindowPartitions::daily("2013-01-01").build().unwrap();
    let days = Arc::new(PartitionsDefinition::from(daily));
    let yesterday = PartitionMapping::TimeWindow {
        start_offset: -1,
        end_offset: -1,
        allow_nonexistent_upstream_partitions: true,
    };

    let mut flights = OpSpec::single(asset_spec("raw/flights", Some(&days), &[]));
    // A policy with a fraction of a second, a growing wait and jitter: none maps exactly.
    flights.retry = Some(RetryPolicy {
        max_retries: 3,
        delay: Duration::from_millis(1_500),
        backoff: Backoff::Exponential,
        jitter: Jitter::PlusMinus,
    });
    let check = OpSpec::check(CheckSpec::new(CheckKey {
        asset: asset_key("raw/flights"),
        name: "not_empty".into(),
    }));
    let mut delays = OpSpec::new(
        "delays",
        vec![
            asset_spec("delays/daily", Some(&days), &["raw/flights"]),
            asset_spec("delays/worst", Some(&days), &["raw/flights"]),
        ],
    );
    delays.can_subset = true;
    delays.compute = ComputeProfile {
        memory_mib: 2048,
        timeout: Duration::from_secs(900),
        ephemeral_storage_mib: 4096,
        binary: None,
    };
    let mut warehouse = OpSpec::single(asset_spec("warehouse", Some(&days), &["delays/daily"]));
    // Batches and a pool: items of several partitions, in a stage of their own.
    warehouse.backfill = BackfillPolicy::MultiRun(NonZeroU32::new(7).unwrap());
    warehouse.pool = Some("warehouse".into());
    let mut total = asset_spec("total", Some(&days), &["raw/flights"]);
    total
        .deps
        .push(DepSpec::new(asset_key("total")).with_mapping(yesterday));
    // Named like a state of the machine, which has to make way.
    let report = asset_spec("Plan", None, &["warehouse", "total"]);
    AssetGraph::new(
        vec![
            flights,
            check,
            delays,
            warehouse,
            OpSpec::single(total),
            OpSpec::single(report),
        ],
        vec![],
    )
    .unwrap()
}

fn compiled_machines(graph: &AssetGraph) -> Machines {
    let layout = Layout::from_graph(graph).unwrap();
    compile_machines(graph, &layout, &CompileOptions::new("workshop")).unwrap()
}

#[test]
fn the_machine_that_people_start() {
    insta::assert_snapshot!(compiled_machines(&workshop_graph()).run.to_json().unwrap());
}

#[test]
fn the_machine_that_runs_what_is_much() {
    insta::assert_snapshot!(
        compiled_machines(&workshop_graph())
            .backfill
            .to_json()
            .unwrap()
    );
}

#[test]
fn generated_machines_have_no_findings() {
    let machines = compiled_machines(&workshop_graph());
    assert_eq!(check_machine(&machines.run), []);
    assert_eq!(check_machine(&machines.backfill), []);
}

#[test]
fn substitutions_are_listed() {
    let keys: Vec<String> = ('a'..='c').map(String::from).collect();
    let letters: PartitionsDefinition = StaticPartitions::new(keys).unwrap().into();
    let graph = AssetGraph::new(
        vec![OpSpec::single(asset_spec(
            "a",
            Some(&Arc::new(letters)),
            &[],
        ))],
        vec![],
    );
    let machines = compiled_machines(&graph.unwrap());
    assert_eq!(
        machines.substitutions.run.iter().collect::<Vec<_>>(),
        [
            "BackfillStateMachineArn",
            "Materializer512MiB60sArn",
            "Partition",
            "PlannerArn"
        ]
    );
}

/// Returns a graph like that of `tests/bench/core`: ten layers of assets, each made from two above.
fn layered_graph(assets: usize) -> AssetGraph {
    let daily = TimeWindowPartitions::daily("2013-01-01").build().unwrap();
    let days = Arc::new(PartitionsDefinition::from(daily));
    let width = assets.div_ceil(10);
    let name = |layer: usize, place: usize| format!("layer_{layer}/asset_{place:05}");
    let ops = (0..assets).map(|number| {
        let (layer, place) = (number / width, number % width);
        let mut deps = Vec::new();
        if layer > 0 {
            deps = [place, (place * 7 + layer) % width]
                .map(|above| name(layer - 1, above))
                .to_vec();
            deps.dedup();
        }
        let deps: Vec<&str> = deps.iter().map(String::as_str).collect();
        OpSpec::single(asset_spec(&name(layer, place), Some(&days), &deps))
    });
    AssetGraph::new(ops.collect(), vec![]).unwrap()
}

#[test]
fn a_thousand_assets_fit() {
    let machines = compiled_machines(&layered_graph(1_000));
    for machine in [&machines.run, &machines.backfill] {
        let bytes = machine.deployed_bytes().unwrap();
        // The definition fits, and is large enough to show that each asset has its own state.
        assert!(bytes <= StateMachine::MAX_BYTES, "{bytes} bytes");
        assert!(bytes > 900_000, "not one state per asset: {bytes} bytes");
        let json = machine.to_json().unwrap();
        assert!(json.len() <= bytes, "not the short form");
        assert_eq!(check_machine(machine), []);
    }
}

#[test]
fn too_many_assets_share_the_states_of_a_loop() {
    let mut ops: Vec<OpSpec> = layered_graph(1_100)
        .ops()
        .map(|(_, op)| op.clone())
        .collect();
    // One op with a policy of its own, so that there are two kinds of steps.
    ops[0].retry = Some(RetryPolicy {
        max_retries: 2,
        delay: Duration::from_secs(1),
        backoff: Backoff::Constant,
        jitter: Jitter::None,
    });
    let machines = compiled_machines(&AssetGraph::new(ops, vec![]).unwrap());
    for machine in [&machines.run, &machines.backfill] {
        assert_eq!(check_machine(machine), []);
    }
    insta::assert_snapshot!("loop_run", machines.run.to_json().unwrap());
    insta::assert_snapshot!("loop_backfill", machines.backfill.to_json().unwrap());
}

#[test]
fn a_graph_without_ops_and_a_foreign_layout_are_refused() {
    let options = CompileOptions::new("workshop");
    let nothing = AssetGraph::new(vec![], vec![AssetSpec::new(asset_key("landing"))]).unwrap();
    let refused =
        compile_machines(&nothing, &Layout::from_graph(&nothing).unwrap(), &options).unwrap_err();
    insta::assert_snapshot!(
        refused,
        @"the project declares no asset of its own: a state machine needs at least one"
    );
    let workshop = Layout::from_graph(&workshop_graph()).unwrap();
    let refused = compile_machines(&nothing, &workshop, &options).unwrap_err();
    insta::assert_snapshot!(
        refused,
        @"the layout names the op `raw/flights`, which the graph does not have: make the layout from this graph"
    );
}

#[test]
fn the_comment_holds_an_example_from_the_project() {
    // The example has to be valid: its selection must find an asset.
    let comment_of = |ops: Vec<OpSpec>| {
        let graph = AssetGraph::new(ops, vec![]).unwrap();
        let comment = compiled_machines(&graph).run.comment.unwrap();
        let (_, rest) = comment.split_once("like ").unwrap();
        let (example, _) = rest.split_once(". `select`").unwrap();
        let input: serde_json::Value = serde_json::from_str(example).unwrap();
        let select = Selection::parse(input["select"].as_str().unwrap()).unwrap();
        assert!(!select.resolve(&graph).unwrap().is_empty());
        example.to_owned()
    };
    let comment =
        |assets: Vec<AssetSpec>| comment_of(assets.into_iter().map(OpSpec::single).collect());
    let dynamic = precip_core::partitions::DynamicPartitions {
        name: "customers".into(),
    };
    let dynamic = Arc::new(PartitionsDefinition::from(dynamic));
    let one: PartitionsDefinition = StaticPartitions::new(["EWR"]).unwrap().into();
    assert_eq!(
        comment(vec![
            asset_spec("all", None, &[]),
            asset_spec("one", Some(&Arc::new(one)), &["all"])
        ]),
        r#"{"select":"one+","partitions":"EWR"}"#
    );
    assert_eq!(
        comment(vec![asset_spec("some", Some(&dynamic), &[])]),
        r#"{"select":"some+","partitions":"all"}"#
    );
    assert_eq!(
        comment(vec![asset_spec("all", None, &[])]),
        r#"{"select":"all+"}"#
    );
    // One of two assets that are made together cannot be selected alone.
    let pair = |key| asset_spec(key, None, &[]);
    let both = OpSpec::new("both", vec![pair("left"), pair("right")]);
    assert_eq!(
        comment_of(vec![both.clone()]),
        r#"{"select":"*","partitions":"all"}"#
    );
    let alone = OpSpec::single(asset_spec("zone", None, &[]));
    assert_eq!(comment_of(vec![both, alone]), r#"{"select":"zone+"}"#);
}
