//! What makes a graph, and what does not.

use std::sync::Arc;

use insta::assert_snapshot;
use proptest::prelude::*;
use rstest::rstest;

use crate::{
    graph::{AssetGraph, AssetId, AssetSet, GraphProblem, InvalidGraph},
    key::CheckKey,
    mapping::PartitionMapping,
    partitions::{PartitionsDefinition, StaticPartitions, TimeWindowPartitions},
    spec::{AssetSpec, CheckSpec, DepSpec, OpSpec},
};

fn asset(key: &str, deps: &[&str]) -> AssetSpec {
    let mut asset = AssetSpec::new(key.parse().unwrap());
    asset.deps = deps
        .iter()
        .map(|dep| DepSpec::new(dep.parse().unwrap()))
        .collect();
    asset
}

fn single(key: &str, deps: &[&str]) -> OpSpec {
    OpSpec::single(asset(key, deps))
}

fn check(asset: &str, name: &str) -> CheckSpec {
    CheckSpec::new(CheckKey {
        asset: asset.parse().unwrap(),
        name: name.to_owned(),
    })
}

fn graph(ops: Vec<OpSpec>) -> AssetGraph {
    AssetGraph::new(ops, vec![]).unwrap()
}

fn refusal(ops: Vec<OpSpec>) -> InvalidGraph {
    AssetGraph::new(ops, vec![]).unwrap_err()
}

fn keys(graph: &AssetGraph, ids: impl IntoIterator<Item = AssetId>) -> String {
    let keys = ids.into_iter().map(|id| graph.key(id).as_str());
    keys.collect::<Vec<_>>().join(" ")
}

fn set(graph: &AssetGraph, keys: &[&str]) -> AssetSet {
    keys.iter().map(|key| graph.id_of(key).unwrap()).collect()
}

/// `a -> b -> d -> e`, `a -> c -> d`.
fn diamond() -> AssetGraph {
    graph(vec![
        single("e", &["d"]),
        single("d", &["c", "b"]),
        single("c", &["a"]),
        single("b", &["a"]),
        single("a", &[]),
    ])
}

#[test]
fn ids_follow_keys_and_order_follows_dependencies() {
    let graph = graph(vec![
        single("b", &["z"]),
        single("a", &["b"]),
        single("z", &[]),
        single("m", &[]),
    ]);
    assert_eq!(keys(&graph, graph.ids()), "a b m z");
    assert_eq!(keys(&graph, graph.topological().iter().copied()), "m z b a");
}

#[test]
fn edges_are_seen_from_both_ends() {
    let graph = diamond();
    let d = graph.id_of("d").unwrap();
    assert_eq!(
        keys(&graph, graph.upstream(d).iter().map(|edge| edge.asset)),
        "b c"
    );
    assert_eq!(
        keys(&graph, graph.downstream(d).iter().map(|edge| edge.asset)),
        "e"
    );
}

#[test]
fn walks_go_as_deep_as_they_are_asked_to() {
    let graph = diamond();
    let of = |found: AssetSet| keys(&graph, found);
    let (a, e) = (set(&graph, &["a"]), set(&graph, &["e"]));
    assert_eq!(of(graph.ancestors(&e, Some(0))), "e");
    assert_eq!(of(graph.ancestors(&e, Some(2))), "b c d e");
    assert_eq!(of(graph.ancestors(&e, None)), "a b c d e");
    assert_eq!(of(graph.descendants(&a, Some(1))), "a b c");
    assert_eq!(
        of(graph.roots(&set(&graph, &["a", "e"]))),
        "a",
        "by way of what is outside"
    );
    assert_eq!(of(graph.sinks(&set(&graph, &["a", "b", "c"]))), "b c");
}

#[test]
fn levels_come_one_after_another() {
    let graph = diamond();
    let levels = |of: &AssetSet| {
        let levels = graph.levels(of);
        levels
            .into_iter()
            .map(|level| keys(&graph, level))
            .collect::<Vec<_>>()
    };
    assert_eq!(levels(&graph.all()), ["a", "b c", "d", "e"]);
    assert_eq!(levels(&set(&graph, &["a", "d", "e"])), ["a d", "e"]);
}

#[test]
fn an_external_asset_has_no_op() {
    let graph = AssetGraph::new(vec![single("b", &["a"])], vec![asset("a", &[])]).unwrap();
    let [a, b] = ["a", "b"].map(|key| graph.id_of(key).unwrap());
    assert!(graph.is_external(a));
    assert_eq!(
        graph.op_of(b).map(|op| graph.op(op).name.as_str()),
        Some("b")
    );
    assert_eq!(keys(&graph, graph.materializable()), "b");
}

#[test]
fn checks_are_found_by_asset_and_by_key() {
    let mut made = single("a", &[]);
    made.checks = vec![check("a", "rows"), check("a", "fresh")];
    let graph = graph(vec![
        made,
        OpSpec::check(check("a", "late")),
        single("b", &[]),
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
fn every_problem_is_told_at_once() {
    let mut checked = single("weather", &["wether"]);
    checked.checks = vec![check("daily", "x"), check("weather", "not so good")];
    let refusal = refusal(vec![
        single("daily", &["raw/flihgts", "nothing/like/it"]),
        single("raw/flights", &[]),
        OpSpec::new("second", vec![asset("daily", &[])]),
        OpSpec::new("nothing", vec![]),
        OpSpec::new("bad name", vec![asset("x", &["y"])]),
        single("y", &["x"]),
        single("self", &["self"]),
        OpSpec::check(check("dayly", "late")),
        checked,
    ]);
    assert_snapshot!(refusal);
}

#[test]
fn one_problem_is_told_alone() {
    let refusal = refusal(vec![
        single("a", &["b"]),
        single("b", &["c"]),
        single("c", &["a", "b"]),
    ]);
    assert_eq!(
        refusal.to_string(),
        "assets depend on each other in a circle: a <- b <- c <- a: take one of these dependencies away"
    );
}

#[test]
fn an_op_makes_its_assets_at_once_or_in_parts() {
    let op = || OpSpec::new("both", vec![asset("a", &[]), asset("c", &["b"])]);
    let refusal = refusal(vec![op(), single("b", &["a"])]);
    assert_eq!(
        refusal.to_string(),
        "op `both` makes its assets at once, but they depend on each other through other ops: \
         c <- b <- a: split it, or let it make some of its assets only (`can_subset`)"
    );
    graph(vec![
        OpSpec {
            can_subset: true,
            ..op()
        },
        single("b", &["a"]),
    ]);
    graph(vec![OpSpec::new(
        "chain",
        vec![asset("a", &[]), asset("b", &["a"])],
    )]);
}

#[test]
fn an_op_takes_each_name_once() {
    let refusal = refusal(vec![
        OpSpec::new("same", vec![asset("a", &[])]),
        OpSpec::new("same", vec![asset("b", &[])]),
        OpSpec::new("more", vec![asset("c", &[])]),
    ]);
    assert_eq!(
        refusal.to_string(),
        "two ops are named `same`: rename one of them"
    );
}

#[test]
fn a_dependency_is_told_once_or_twice_alike() {
    let twice = asset("b", &["a", "a"]);
    let built = graph(vec![single("a", &[]), OpSpec::single(twice)]);
    assert_eq!(built.upstream(built.id_of("b").unwrap()).len(), 1);
}

#[test]
fn two_mappings_of_one_dependency_are_refused() {
    let mut twice = asset("b", &["a", "a"]);
    twice.deps[1].mapping = Some(PartitionMapping::Last);
    assert_eq!(
        refusal(vec![single("a", &[]), OpSpec::single(twice)]).to_string(),
        "asset `b` depends on `a` twice, with different mappings: keep one"
    );
}

fn windows(start_offset: i64, end_offset: i64) -> Option<PartitionMapping> {
    let allow_nonexistent_upstream_partitions = false;
    Some(PartitionMapping::TimeWindow {
        start_offset,
        end_offset,
        allow_nonexistent_upstream_partitions,
    })
}

fn daily() -> Option<Arc<PartitionsDefinition>> {
    let windows = TimeWindowPartitions::daily("2024-01-01").build().unwrap();
    Some(Arc::new(PartitionsDefinition::TimeWindow(windows)))
}

fn codes() -> Option<Arc<PartitionsDefinition>> {
    let codes = StaticPartitions::new(["AA", "UA"]).unwrap();
    Some(Arc::new(PartitionsDefinition::Static(codes)))
}

#[rstest]
#[case(windows(-1, -1), true)]
#[case(windows(-7, -1), true)]
#[case(windows(-1, 0), false)]
#[case(windows(0, 0), false)]
#[case(None, false)]
#[case(Some(PartitionMapping::Identity), false)]
fn an_asset_may_depend_on_its_earlier_partitions(
    #[case] mapping: Option<PartitionMapping>,
    #[case] taken: bool,
) {
    let mut sum = AssetSpec {
        partitions: daily(),
        ..asset("sum", &["sum"])
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
                refusal.problems(),
                [GraphProblem::DependsOnItself { .. }]
            ));
        }
    }
}

#[test]
fn a_mapping_has_to_fit() {
    let by_day = AssetSpec {
        partitions: daily(),
        ..asset("by_day", &[])
    };
    let mut by_code = AssetSpec {
        partitions: codes(),
        ..asset("by_code", &["by_day"])
    };
    by_code.deps[0].mapping = windows(0, 0);
    let refusal = refusal(vec![OpSpec::single(by_day), OpSpec::single(by_code)]);
    let [
        GraphProblem::Mapping {
            asset,
            upstream,
            reason,
        },
    ] = refusal.problems()
    else {
        panic!("{refusal}")
    };
    assert_eq!((asset.as_str(), upstream.as_str()), ("by_code", "by_day"));
    assert!(!reason.is_empty());
}

#[test]
fn the_assets_of_an_op_share_their_partitions() {
    let by_day = AssetSpec {
        partitions: daily(),
        ..asset("by_day", &[])
    };
    let by_code = AssetSpec {
        partitions: codes(),
        ..asset("by_code", &[])
    };
    assert_eq!(
        refusal(vec![OpSpec::new("both", vec![by_day, by_code])]).to_string(),
        "op `both` makes `by_day` and `by_code`, which have different partitions: give them the \
         same, or make them by two ops"
    );
}

/// A graph without circles: each asset depends on some with a smaller number.
fn acyclic() -> impl Strategy<Value = AssetGraph> {
    let edges = prop::collection::vec((0usize..40, 0usize..40), 0..80);
    (1usize..40, edges).prop_map(|(count, edges)| {
        let ops = (0..count).map(|at| {
            let below = edges.iter().filter(|(from, to)| *to == at && from < to);
            let deps: Vec<String> = below
                .map(|(from, _)| format!("a{:02}", 97 * from % 41))
                .collect();
            let deps: Vec<&str> = deps.iter().map(String::as_str).collect();
            single(&format!("a{:02}", 97 * at % 41), &deps)
        });
        graph(ops.collect())
    })
}

proptest! {
    #[test]
    fn everything_comes_after_what_it_is_made_from(graph in acyclic()) {
        let order = graph.topological();
        prop_assert_eq!(order.len(), graph.len());
        let place = |id| order.iter().position(|other| *other == id).unwrap();
        for id in graph.ids() {
            for edge in graph.upstream(id) {
                prop_assert!(place(edge.asset) < place(id));
                prop_assert!(graph.downstream(edge.asset).iter().any(|back| back.asset == id));
            }
        }
    }

    #[test]
    fn roots_and_sinks_are_what_walking_says(graph in acyclic(), picked in prop::collection::vec(any::<bool>(), 40)) {
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
