//! Valid and invalid graphs.

use std::sync::Arc;

use insta::assert_snapshot;
use proptest::prelude::*;
use rstest::rstest;

use crate::{
    graph::{AssetGraph, AssetId, AssetSet, GraphError, InvalidGraph},
    key::CheckKey,
    mapping::PartitionMapping,
    partitions::{PartitionsDefinition, StaticPartitions, TimeWindowPartitions},
    spec::{AssetSpec, CheckSpec, DepSpec, OpSpec},
};

fn asset_spec(key: &str, deps: &[&str]) -> AssetSpec {
    let mut asset = AssetSpec::new(key.parse().unwrap());
    asset.deps = deps
        .iter()
        .map(|dep| DepSpec::new(dep.parse().unwrap()))
        .collect();
    asset
}

fn single_op(key: &str, deps: &[&str]) -> OpSpec {
    OpSpec::single(asset_spec(key, deps))
}

fn check_spec(asset: &str, name: &str) -> CheckSpec {
    CheckSpec::new(CheckKey {
        asset: asset.parse().unwrap(),
        name: name.to_owned(),
    })
}

fn graph_of(ops: Vec<OpSpec>) -> AssetGraph {
    AssetGraph::new(ops, vec![]).unwrap()
}

fn invalid_graph(ops: Vec<OpSpec>) -> InvalidGraph {
    AssetGraph::new(ops, vec![]).unwrap_err()
}

fn joined_keys(graph: &AssetGraph, ids: impl IntoIterator<Item = AssetId>) -> String {
    let keys = ids.into_iter().map(|id| graph.key(id).as_str());
    keys.collect::<Vec<_>>().join(" ")
}

fn asset_set(graph: &AssetGraph, keys: &[&str]) -> AssetSet {
    keys.iter().map(|key| graph.id_of(key).unwrap()).collect()
}

/// `a -> b -> d -> e`, `a -> c -> d`.
fn diamond_graph() -> AssetGraph {
    graph_of(vec![
        single_op("e", &["d"]),
        single_op("d", &["c", "b"]),
        single_op("c", &["a"]),
        single_op("b", &["a"]),
        single_op("a", &[]),
    ])
}

#[test]
fn ids_follow_keys_and_order_follows_dependencies() {
    let graph = graph_of(vec![
        single_op("b", &["z"]),
        single_op("a", &["b"]),
        single_op("z", &[]),
        single_op("m", &[]),
    ]);
    assert_eq!(joined_keys(&graph, graph.ids()), "a b m z");
    assert_eq!(
        joined_keys(&graph, graph.topological().iter().copied()),
        "m z b a"
    );
}

#[test]
fn edges_are_seen_from_both_ends() {
    let graph = diamond_graph();
    let d = graph.id_of("d").unwrap();
    assert_eq!(
        joined_keys(&graph, graph.upstream(d).iter().map(|edge| edge.asset)),
        "b c"
    );
    assert_eq!(
        joined_keys(&graph, graph.downstream(d).iter().map(|edge| edge.asset)),
        "e"
    );
}

#[test]
fn traversals_respect_their_depth() {
    let graph = diamond_graph();
    let of = |found: AssetSet| joined_keys(&graph, found);
    let (a, e) = (asset_set(&graph, &["a"]), asset_set(&graph, &["e"]));
    assert_eq!(of(graph.ancestors(&e, Some(0))), "e");
    assert_eq!(of(graph.ancestors(&e, Some(2))), "b c d e");
    assert_eq!(of(graph.ancestors(&e, None)), "a b c d e");
    assert_eq!(of(graph.descendants(&a, Some(1))), "a b c");
    assert_eq!(
        of(graph.roots(&asset_set(&graph, &["a", "e"]))),
        "a",
        "through assets outside the set"
    );
    assert_eq!(of(graph.sinks(&asset_set(&graph, &["a", "b", "c"]))), "b c");
}

#[test]
fn levels_follow_the_dependencies_within_a_set() {
    let graph = diamond_graph();
    let levels = |of: &AssetSet| {
        let levels = graph.levels(of);
        levels
            .into_iter()
            .map(|level| joined_keys(&graph, level))
            .collect::<Vec<_>>()
    };
    assert_eq!(levels(&graph.all_assets()), ["a", "b c", "d", "e"]);
    assert_eq!(levels(&asset_set(&graph, &["a", "d", "e"])), ["a d", "e"]);
}

#[test]
fn an_external_asset_has_no_op() {
    let graph = AssetGraph::new(vec![single_op("b", &["a"])], vec![asset_spec("a", &[])]).unwrap();
    let [a, b] = ["a", "b"].map(|key| graph.id_of(key).unwrap());
    assert!(graph.is_external(a));
    assert_eq!(
        graph.op_of(b).map(|op| graph.op(op).name.as_str()),
        Some("b")
    );
    assert_eq!(joined_keys(&graph, graph.materializable()), "b");
}

#[test]
fn checks_are_found_by_asset_and_by_key() {
    let mut made = single_op("a", &[]);
    made.checks = vec![check_spec("a", "rows"), check_spec("a", "fresh")];
    let graph = graph_of(vec![
        made,
        OpSpec::check(check_spec("a", "late")),
        single_op("b", &[]),
    ]);
    let a = graph.id_of("a").unwrap();
    let names: Vec<_> = graph
        .checks_of(a)
        .map(|id| graph.check(id).key.name.clone())
        .collect();
    assert_eq!(names, ["fresh", "late", "rows"]);
    let of = |name: &str| {
        let key = CheckKey {
            asset: "a".parse().unwrap(),
            name: name.to_owned(),
        };
        graph
            .op(graph.op_of_check(graph.check_id(&key).unwrap()))
            .name
            .clone()
    };
    assert_eq!((of("rows").as_str(), of("late").as_str()), ("a", "a:late"));
    assert_eq!(graph.checks_of(graph.id_of("b").unwrap()).count(), 0);
}

#[test]
fn every_error_is_reported_at_once() {
    let mut checked = single_op("weather", &["wether"]);
    checked.checks = vec![
        check_spec("daily", "x"),
        check_spec("weather", "not so good"),
    ];
    let refusal = invalid_graph(vec![
        single_op("daily", &["raw/flihgts", "nothing/like/it"]),
        single_op("raw/flights", &[]),
        OpSpec::new("second", vec![asset_spec("daily", &[])]),
        OpSpec::new("nothing", vec![]),
        OpSpec::new("bad name", vec![asset_spec("x", &["y"])]),
        single_op("y", &["x"]),
        single_op("self", &["self"]),
        OpSpec::check(check_spec("dayly", "late")),
        checked,
    ]);
    assert_snapshot!(refusal);
}

#[test]
fn a_single_error_is_reported_by_itself() {
    let refusal = invalid_graph(vec![
        single_op("a", &["b"]),
        single_op("b", &["c"]),
        single_op("c", &["a", "b"]),
    ]);
    assert_eq!(
        refusal.to_string(),
        "assets depend on each other in a cycle: a <- b <- c <- a: remove one of these dependencies"
    );
}

#[test]
fn an_op_makes_its_assets_at_once_or_in_parts() {
    let op = || OpSpec::new("both", vec![asset_spec("a", &[]), asset_spec("c", &["b"])]);
    let refusal = invalid_graph(vec![op(), single_op("b", &["a"])]);
    assert_eq!(
        refusal.to_string(),
        "op `both` makes its assets at once, but they depend on each other through other ops: \
         c <- b <- a: split it, or let it make some of its assets only (`can_subset`)"
    );
    // An op that can run in part is no obstacle, nor is a dependency inside one op.
    graph_of(vec![
        OpSpec {
            can_subset: true,
            ..op()
        },
        single_op("b", &["a"]),
    ]);
    graph_of(vec![OpSpec::new(
        "chain",
        vec![asset_spec("a", &[]), asset_spec("b", &["a"])],
    )]);
}

#[test]
fn an_op_takes_each_name_once() {
    let refusal = invalid_graph(vec![
        OpSpec::new("same", vec![asset_spec("a", &[])]),
        OpSpec::new("same", vec![asset_spec("b", &[])]),
        OpSpec::new("more", vec![asset_spec("c", &[])]),
    ]);
    assert_eq!(
        refusal.to_string(),
        "two ops are named `same`: rename one of them"
    );
}

#[test]
fn a_repeated_dependency_counts_once() {
    let twice = asset_spec("b", &["a", "a"]);
    let built = graph_of(vec![single_op("a", &[]), OpSpec::single(twice)]);
    assert_eq!(built.upstream(built.id_of("b").unwrap()).len(), 1);
}

#[test]
fn two_mappings_of_one_dependency_are_refused() {
    let mut twice = asset_spec("b", &["a", "a"]);
    twice.deps[1].mapping = Some(PartitionMapping::Last);
    assert_eq!(
        invalid_graph(vec![single_op("a", &[]), OpSpec::single(twice)]).to_string(),
        "asset `b` depends on `a` twice, with different mappings: keep one"
    );
}

fn time_windows(start_offset: i64, end_offset: i64) -> Option<PartitionMapping> {
    let allow_nonexistent_upstream_partitions = false;
    Some(PartitionMapping::TimeWindow {
        start_offset,
        end_offset,
        allow_nonexistent_upstream_partitions,
    })
}

fn daily_partitions() -> Option<Arc<PartitionsDefinition>> {
    let windows = TimeWindowPartitions::daily("2024-01-01").build().unwrap();
    Some(Arc::new(PartitionsDefinition::TimeWindow(windows)))
}

fn code_partitions() -> Option<Arc<PartitionsDefinition>> {
    let codes = StaticPartitions::new(["AA", "UA"]).unwrap();
    Some(Arc::new(PartitionsDefinition::Static(codes)))
}

#[rstest]
#[case(time_windows(-1, -1), true)]
#[case(time_windows(-7, -1), true)]
#[case(time_windows(-1, 0), false)]
#[case(time_windows(0, 0), false)]
#[case(None, false)]
#[case(Some(PartitionMapping::Identity), false)]
fn an_asset_may_depend_on_its_earlier_partitions(
    #[case] mapping: Option<PartitionMapping>,
    #[case] taken: bool,
) {
    let mut sum = AssetSpec {
        partitions: daily_partitions(),
        ..asset_spec("sum", &["sum"])
    };
    sum.deps[0].mapping = mapping;
    let built = AssetGraph::new(vec![OpSpec::single(sum)], vec![]);
    match built {
        Ok(graph) => {
            assert!(taken);
            assert_eq!(graph.topological(), [AssetId(0)]);
            assert_eq!(graph.upstream(AssetId(0))[0].asset, AssetId(0));
        }
        Err(refusal) => {
            assert!(!taken);
            assert!(matches!(
                refusal.errors(),
                [GraphError::DependsOnItself { .. }]
            ));
        }
    }
}

#[test]
fn a_mapping_has_to_fit() {
    let by_day = AssetSpec {
        partitions: daily_partitions(),
        ..asset_spec("by_day", &[])
    };
    let mut by_code = AssetSpec {
        partitions: code_partitions(),
        ..asset_spec("by_code", &["by_day"])
    };
    by_code.deps[0].mapping = time_windows(0, 0);
    let refusal = invalid_graph(vec![OpSpec::single(by_day), OpSpec::single(by_code)]);
    let [
        GraphError::Mapping {
            asset,
            upstream,
            reason,
        },
    ] = refusal.errors()
    else {
        panic!("{refusal}")
    };
    assert_eq!((asset.as_str(), upstream.as_str()), ("by_code", "by_day"));
    assert!(!reason.is_empty());
}

#[test]
fn the_assets_of_an_op_share_their_partitions() {
    let by_day = AssetSpec {
        partitions: daily_partitions(),
        ..asset_spec("by_day", &[])
    };
    let by_code = AssetSpec {
        partitions: code_partitions(),
        ..asset_spec("by_code", &[])
    };
    assert_eq!(
        invalid_graph(vec![OpSpec::new("both", vec![by_day, by_code])]).to_string(),
        "op `both` makes `by_day` and `by_code`, which have different partitions: give them the \
         same, or make them by two ops"
    );
}

/// A graph without cycles: each asset depends on some with a smaller number.
fn any_acyclic_graph() -> impl Strategy<Value = AssetGraph> {
    let edges = prop::collection::vec((0usize..40, 0usize..40), 0..80);
    (1usize..40, edges).prop_map(|(count, edges)| {
        let ops = (0..count).map(|at| {
            let below = edges.iter().filter(|(from, to)| *to == at && from < to);
            let keys: Vec<String> = below
                .map(|(from, _)| format!("a{:02}", 97 * from % 41))
                .collect();
            let deps: Vec<&str> = keys.iter().map(String::as_str).collect();
            single_op(&format!("a{:02}", 97 * at % 41), &deps)
        });
        graph_of(ops.collect())
    })
}

proptest! {
    #[test]
    fn every_asset_comes_after_its_upstream_assets(graph in any_acyclic_graph()) {
        let order = graph.topological();
        prop_assert_eq!(order.len(), graph.len());
        let position = |id| order.iter().position(|other| *other == id).unwrap();
        for id in graph.ids() {
            for edge in graph.upstream(id) {
                prop_assert!(position(edge.asset) < position(id));
                prop_assert!(graph.downstream(edge.asset).iter().any(|back| back.asset == id));
            }
        }
    }

    #[test]
    fn roots_and_sinks_agree_with_traversals(graph in any_acyclic_graph(), picked in prop::collection::vec(any::<bool>(), 40)) {
        let of: AssetSet = graph.ids().filter(|id| picked[id.0 as usize]).collect();
        let alone = |id: AssetId, reached: AssetSet| (&reached & &of) == AssetSet::from(id);
        let roots: AssetSet =
            of.iter().filter(|id| alone(*id, graph.ancestors(&AssetSet::from(*id), None))).collect();
        let sinks: AssetSet =
            of.iter().filter(|id| alone(*id, graph.descendants(&AssetSet::from(*id), None))).collect();
        prop_assert_eq!(graph.roots(&of), roots);
        prop_assert_eq!(graph.sinks(&of), sinks);
        let levels: AssetSet = graph.levels(&of).into_iter().flatten().collect();
        prop_assert_eq!(levels, of);
    }
}
