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

use super::{CompileOptions, Machines, compile};
use crate::{check::check, model::StateMachine};

fn key(text: &str) -> AssetKey {
    text.parse().unwrap()
}

fn asset(name: &str, partitions: Option<&Arc<PartitionsDefinition>>, deps: &[&str]) -> AssetSpec {
    let mut asset = AssetSpec::new(key(name));
    asset.partitions = partitions.cloned();
    asset.deps = deps.iter().map(|dep| DepSpec::new(key(dep))).collect();
    asset
}

/// Two waves: daily flights with a check and a multi-asset, a batched asset, and one made from its
/// own yesterday.
fn workshop() -> AssetGraph {
    let days = TimeWindowPartitions::daily("2013-01-01").build().unwrap();
    let days = Arc::new(PartitionsDefinition::from(days));
    let yesterday = PartitionMapping::TimeWindow {
        start_offset: -1,
        end_offset: -1,
        allow_nonexistent_upstream_partitions: true,
    };

    let mut flights = OpSpec::single(asset("raw/flights", Some(&days), &[]));
    flights.retry = Some(RetryPolicy {
        max_retries: 3,
        delay: Duration::from_millis(1_500),
        backoff: Backoff::Exponential,
        jitter: Jitter::PlusMinus,
    });
    let check = OpSpec::check(CheckSpec::new(CheckKey {
        asset: key("raw/flights"),
        name: "not_empty".into(),
    }));
    let mut delays = OpSpec::new(
        "delays",
        vec![
            asset("delays/daily", Some(&days), &["raw/flights"]),
            asset("delays/worst", Some(&days), &["raw/flights"]),
        ],
    );
    delays.can_subset = true;
    delays.compute = ComputeProfile {
        memory_mib: 2048,
        timeout: Duration::from_secs(900),
        ephemeral_storage_mib: 4096,
        binary: None,
    };
    let mut warehouse = OpSpec::single(asset("warehouse", Some(&days), &["delays/daily"]));
    warehouse.backfill = BackfillPolicy::MultiRun(NonZeroU32::new(7).unwrap());
    warehouse.pool = Some("warehouse".into());
    let mut total = asset("total", Some(&days), &["raw/flights"]);
    total.deps.push(DepSpec {
        asset: key("total"),
        mapping: Some(yesterday),
    });
    let report = asset("Plan", None, &["warehouse", "total"]);
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

fn machines(graph: &AssetGraph) -> Machines {
    let layout = Layout::of(graph).unwrap();
    compile(graph, &layout, &CompileOptions::new("workshop")).unwrap()
}

#[test]
fn the_machine_that_people_start() {
    insta::assert_snapshot!(machines(&workshop()).run.to_json().unwrap());
}

#[test]
fn the_machine_that_runs_what_is_much() {
    insta::assert_snapshot!(machines(&workshop()).backfill.to_json().unwrap());
}

#[test]
fn generated_machines_have_no_findings() {
    let machines = machines(&workshop());
    assert_eq!(check(&machines.run), []);
    assert_eq!(check(&machines.backfill), []);
}

#[test]
fn what_has_to_be_put_in_is_listed() {
    let keys: Vec<String> = ('a'..='c').map(String::from).collect();
    let letters: PartitionsDefinition = StaticPartitions::new(keys).unwrap().into();
    let graph = AssetGraph::new(
        vec![OpSpec::single(asset("a", Some(&Arc::new(letters)), &[]))],
        vec![],
    );
    let machines = machines(&graph.unwrap());
    assert_eq!(
        machines.substitutions.run.iter().collect::<Vec<_>>(),
        [
            "BackfillStateMachineArn",
            "Materializer512MiB60sArn",
            "PlannerArn"
        ]
    );
}

/// As `tests/bench/core` lays them out: a thousand assets in ten layers, each made from two above.
fn layered(assets: usize) -> AssetGraph {
    let days = TimeWindowPartitions::daily("2013-01-01").build().unwrap();
    let days = Arc::new(PartitionsDefinition::from(days));
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
        OpSpec::single(asset(&name(layer, place), Some(&days), &deps))
    });
    AssetGraph::new(ops.collect(), vec![]).unwrap()
}

#[test]
fn a_thousand_assets_fit() {
    let machines = machines(&layered(1_000));
    for machine in [&machines.run, &machines.backfill] {
        let bytes = machine.deployed_bytes().unwrap();
        assert!(bytes <= StateMachine::MAX_BYTES, "{bytes} bytes");
        assert!(bytes > 900_000, "not one state per asset: {bytes} bytes");
        let json = machine.to_json().unwrap();
        assert!(json.len() <= bytes, "not the short form");
        assert_eq!(check(machine), []);
    }
}

#[test]
fn too_many_assets_share_the_states_of_a_loop() {
    let mut ops: Vec<OpSpec> = layered(1_100).ops().map(|(_, op)| op.clone()).collect();
    ops[0].retry = Some(RetryPolicy {
        max_retries: 2,
        delay: Duration::from_secs(1),
        backoff: Backoff::Constant,
        jitter: Jitter::None,
    });
    let machines = machines(&AssetGraph::new(ops, vec![]).unwrap());
    for machine in [&machines.run, &machines.backfill] {
        assert_eq!(check(machine), []);
    }
    insta::assert_snapshot!("loop_run", machines.run.to_json().unwrap());
    insta::assert_snapshot!("loop_backfill", machines.backfill.to_json().unwrap());
}

#[test]
fn what_no_machine_can_be_made_from_is_refused() {
    let options = CompileOptions::new("workshop");
    let nothing = AssetGraph::new(vec![], vec![AssetSpec::new(key("landing"))]).unwrap();
    let refused = compile(&nothing, &Layout::of(&nothing).unwrap(), &options).unwrap_err();
    insta::assert_snapshot!(
        refused,
        @"the project declares no asset that it makes itself: a state machine needs one"
    );
    let workshop = Layout::of(&workshop()).unwrap();
    let refused = compile(&nothing, &workshop, &options).unwrap_err();
    insta::assert_snapshot!(
        refused,
        @"the layout names the op `raw/flights`, which the graph does not have: lay the graph out again"
    );
}

#[test]
fn an_example_of_the_projects_own_stands_in_the_comment() {
    let comment = |assets: Vec<AssetSpec>| {
        let ops = assets.into_iter().map(OpSpec::single).collect();
        let graph = AssetGraph::new(ops, vec![]).unwrap();
        let comment = machines(&graph).run.comment.unwrap();
        let example = comment.split_once("like ").unwrap().1;
        let example = example.split_once(". `select`").unwrap().0;
        let input: serde_json::Value = serde_json::from_str(example).unwrap();
        let select = Selection::parse(input["select"].as_str().unwrap()).unwrap();
        assert!(!select.resolve(&graph).unwrap().is_empty());
        example.to_owned()
    };
    let dynamic = precip_core::partitions::DynamicPartitions {
        name: "customers".into(),
    };
    let dynamic = Arc::new(PartitionsDefinition::from(dynamic));
    let one: PartitionsDefinition = StaticPartitions::new(["EWR"]).unwrap().into();
    assert_eq!(
        comment(vec![
            asset("all", None, &[]),
            asset("one", Some(&Arc::new(one)), &["all"])
        ]),
        r#"{"select":"one+","partitions":"EWR"}"#
    );
    assert_eq!(
        comment(vec![asset("some", Some(&dynamic), &[])]),
        r#"{"select":"some+","partitions":"all"}"#
    );
    assert_eq!(
        comment(vec![asset("all", None, &[])]),
        r#"{"select":"all+"}"#
    );
}
