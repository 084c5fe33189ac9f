use std::sync::Arc;

use crate::{
    graph::AssetGraph,
    mapping::PartitionMapping,
    partitions::{
        DynamicPartitions, PartitionContext, PartitionsDefinition, StaticPartitions,
        TimeWindowPartitions,
    },
    plan::{AssetStatuses, Lineage, Plan, PlanError, PlanRequest},
    selection::Selection,
    spec::{AssetSpec, DepSpec, OpSpec},
};

fn spec_of(key: &str, partitions: &Arc<PartitionsDefinition>, deps: &[DepSpec]) -> AssetSpec {
    AssetSpec {
        partitions: Some(Arc::clone(partitions)),
        deps: deps.to_vec(),
        ..AssetSpec::new(key.parse().unwrap())
    }
}

fn dep(key: &str, mapping: Option<PartitionMapping>) -> DepSpec {
    DepSpec {
        mapping,
        ..DepSpec::new(key.parse().unwrap())
    }
}

fn shifted(start_offset: i64, end_offset: i64, allow: bool) -> Option<PartitionMapping> {
    Some(PartitionMapping::TimeWindow {
        start_offset,
        end_offset,
        allow_nonexistent_upstream_partitions: allow,
    })
}

fn hours(end: Option<&str>) -> Arc<PartitionsDefinition> {
    let builder = TimeWindowPartitions::hourly("2025-01-01-00:00");
    let builder = match end {
        Some(end) => builder.end(end),
        None => builder,
    };
    Arc::new(builder.build().unwrap().into())
}

/// `readings`, `smoothed` from an hour and the next, `report` from the same hour of `smoothed`.
fn smoothing_graph(mapping: Option<PartitionMapping>, end: Option<&str>) -> AssetGraph {
    let hours = hours(end);
    let assets = [
        spec_of("readings", &hours, &[]),
        spec_of("smoothed", &hours, &[dep("readings", mapping)]),
        spec_of("report", &hours, &[dep("smoothed", None)]),
    ];
    AssetGraph::new(assets.map(OpSpec::single).to_vec(), vec![]).unwrap()
}

fn plan_at(graph: &AssetGraph, now: &str, select: &str, keys: &str) -> Result<Plan, PlanError> {
    let context = PartitionContext::at(now.parse().unwrap());
    let assets = match select {
        "" => graph.all_assets(),
        select => Selection::parse(select).unwrap().resolve(graph).unwrap(),
    };
    let request = PlanRequest::new(assets, keys.parse().unwrap());
    Plan::new(
        Lineage::new(graph, &context),
        &request,
        &AssetStatuses::default(),
    )
}

/// What a plan leaves out, as text.
fn left_out(plan: &Plan) -> Vec<String> {
    let left = plan.left_out.iter();
    left.map(|left| {
        let ordinals: Vec<u64> = left.partitions.iter().collect();
        format!("{} {ordinals:?} {}", left.asset, left.reason.describe())
    })
    .collect()
}

const AT_SIX: &str = "2025-01-01T06:10:00Z";

#[test]
fn a_key_whose_upstream_is_to_come_is_refused_by_name() {
    for mapping in [
        shifted(0, 1, false),
        shifted(1, 1, false),
        shifted(-1, 1, false),
    ] {
        let graph = smoothing_graph(mapping, None);
        for keys in [
            "2025-01-01-05:00",
            "2025-01-01-03:00...2025-01-01-05:00",
            "latest",
        ] {
            let refusal = plan_at(&graph, AT_SIX, "smoothed", keys).unwrap_err();
            assert_eq!(
                refusal.to_string(),
                "asset `smoothed` needs partition `2025-01-01-06:00` of `readings`, which does not \
                 exist yet: request the partition that needs it when that window exists"
            );
        }
        let plan = plan_at(&graph, AT_SIX, "smoothed", "2025-01-01-04:00").unwrap();
        assert_eq!(plan.pair_count(), 1);
    }
}

#[test]
fn partitions_that_are_not_named_wait_with_what_depends_on_them() {
    let graph = smoothing_graph(shifted(0, 1, false), None);
    let waits = [
        "smoothed [5] waits for partition `2025-01-01-06:00` of `readings`, which does not exist yet",
        "report [5] waits for partitions of `smoothed` that wait themselves",
    ];
    let plan = plan_at(&graph, AT_SIX, "", "all").unwrap();
    assert_eq!(
        (plan.pair_count(), left_out(&plan)),
        (6 + 5 + 5, waits.map(str::to_owned).to_vec())
    );
    // The key names an hour of `readings`, which is made.
    let plan = plan_at(&graph, AT_SIX, "", "2025-01-01-05:00").unwrap();
    assert_eq!(
        (plan.pair_count(), left_out(&plan)),
        (1, waits.map(str::to_owned).to_vec())
    );
    let read_back: Plan = serde_json::from_str(&serde_json::to_string(&plan).unwrap()).unwrap();
    assert_eq!(read_back, plan);
}

#[test]
fn the_true_end_of_a_definition_and_permission_clip_in_silence() {
    let ended = smoothing_graph(shifted(0, 1, false), Some("2025-01-01-06:00"));
    let allowed = smoothing_graph(shifted(0, 1, true), None);
    let earlier = smoothing_graph(shifted(-1, 0, false), None);
    for graph in [ended, allowed, earlier] {
        let plan = plan_at(&graph, AT_SIX, "", "all").unwrap();
        assert_eq!((plan.pair_count(), left_out(&plan)), (18, Vec::new()));
    }
}

#[test]
fn a_day_waits_for_hours_of_a_late_upstream() {
    let late = TimeWindowPartitions::hourly("2025-01-01-00:00").end_offset(-2);
    let late = Arc::new(PartitionsDefinition::from(late.build().unwrap()));
    let days = TimeWindowPartitions::daily("2025-01-01").build().unwrap();
    let days = Arc::new(PartitionsDefinition::from(days));
    let assets = [
        spec_of("late", &late, &[]),
        spec_of("days", &days, &[dep("late", None)]),
    ];
    let graph = AssetGraph::new(assets.map(OpSpec::single).to_vec(), vec![]).unwrap();
    let refusal = plan_at(&graph, "2025-01-03T01:00:00Z", "days", "2025-01-02").unwrap_err();
    assert!(
        refusal.to_string().contains("`2025-01-02-23:00` of `late`"),
        "{refusal}"
    );
    let plan = plan_at(&graph, "2025-01-03T01:00:00Z", "days", "all").unwrap();
    assert_eq!((plan.pair_count(), plan.left_out.len()), (1, 1));
    let plan = plan_at(&graph, "2025-01-03T02:00:00Z", "days", "all").unwrap();
    assert_eq!((plan.pair_count(), plan.left_out.len()), (2, 0));
}

#[test]
fn a_refusal_advises_what_the_mapping_can_do() {
    let letters = |keys: &[&str]| {
        let keys = StaticPartitions::new(keys.iter().copied()).unwrap();
        Arc::new(PartitionsDefinition::from(keys))
    };
    let refusal = |up: &Arc<PartitionsDefinition>, down: &Arc<PartitionsDefinition>, mapping| {
        let assets = [
            spec_of("up", up, &[]),
            spec_of("down", down, &[dep("up", mapping)]),
        ];
        let graph = AssetGraph::new(assets.map(OpSpec::single).to_vec(), vec![]).unwrap();
        let refusal = plan_at(&graph, AT_SIX, "down", "all").unwrap_err();
        refusal.to_string()
    };
    let (north, both) = (letters(&["north"]), letters(&["north", "south"]));
    let keys = refusal(&north, &both, None);
    assert!(keys.contains("`static` mapping"), "{keys}");
    assert!(!keys.contains("allow_nonexistent"), "{keys}");
    let dynamic = Arc::new(PartitionsDefinition::from(DynamicPartitions::new("files")));
    let keys = refusal(
        &dynamic,
        &both,
        Some(PartitionMapping::Specific {
            keys: vec!["x".into()],
        }),
    );
    assert!(
        keys.contains("name keys that exist in the mapping"),
        "{keys}"
    );
    let advice = PartitionMapping::Identity.nonexistent_advice(Some(&dynamic));
    assert!(advice.contains("`dynamic files add KEY`"), "{advice}");
    let later = TimeWindowPartitions::hourly("2025-01-01-03:00")
        .build()
        .unwrap();
    let windows = refusal(&Arc::new(later.into()), &hours(None), None);
    assert!(windows.contains("`2025-01-01-00:00`"), "{windows}");
    assert!(
        windows.contains("allow_nonexistent_upstream_partitions"),
        "{windows}"
    );
}
