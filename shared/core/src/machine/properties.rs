//! Properties of the work of any plan.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::{
    graph::{AssetGraph, AssetId},
    partitions::PartitionSet,
    plan::{
        AssetStatuses, Lineage, PartitionSelector, Plan, PlanRequest,
        tests::{any_graph_seed, june_context, seeded_graph},
    },
};

/// The position at which a partition of an asset is materialized.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Position {
    stage: usize,
    item: usize,
    step: usize,
}

/// Returns the position of every partition. Fails when one has two.
fn positions_of(
    graph: &AssetGraph,
    layout: &Layout,
    work: &Work,
) -> Result<BTreeMap<(AssetId, u64), Position>, TestCaseError> {
    let mut positions = BTreeMap::new();
    // Every step of an item exists in its stage, in the stage's order.
    for work in &work.stages {
        let stage = &layout.stages[work.stage];
        for (item, data) in work.items.iter().enumerate() {
            prop_assert!(!data.steps.is_empty(), "an item without steps");
            let mut before = None;
            for name in data.steps.keys() {
                let (step, layout_step) = stage
                    .step_named(name.as_str())
                    .expect("a step of the stage");
                prop_assert!(before < Some(step), "steps out of order");
                before = Some(step);
                let part = data.steps[name].part.as_ref();
                let assets = part.map_or(&layout_step.assets, |part| &part.assets);
                for asset in assets.iter().map(|key| graph.id(key).expect("an asset")) {
                    for ordinal in data
                        .partitions_of(name)
                        .into_iter()
                        .flat_map(PartitionSet::iter)
                    {
                        let position = Position {
                            stage: work.stage,
                            item,
                            step,
                        };
                        let twice = positions.insert((asset, ordinal), position);
                        prop_assert!(twice.is_none(), "materialized twice: {asset:?} {ordinal}");
                    }
                }
            }
        }
    }
    Ok(positions)
}

/// Returns `true` if the work at one position ends before the work at another starts.
fn comes_before(layout: &Layout, first: Position, then: Position) -> bool {
    let (one, other) = (&layout.stages[first.stage], &layout.stages[then.stage]);
    if first.stage != then.stage {
        return one.wave < other.wave;
    }
    if first.item == then.item {
        first.step < then.step
    } else {
        one.in_order && first.item < then.item
    }
}

proptest! {
    #[test]
    fn work_holds_everything_once_and_nothing_too_early(
        seed in any_graph_seed(),
        asked in any::<u8>(),
        few in any::<bool>(),
        done in any::<u64>(),
    ) {
        let graph = seeded_graph(&seed);
        let context = june_context();
        let lineage = Lineage::new(&graph, &context);
        let is_asked = |index: usize| asked & (1 << index) != 0;
        let assets = graph.ids().enumerate().filter(|(index, _)| is_asked(*index));
        let partitions: PartitionSelector = if few {
            "2024-06-05...2024-06-07".parse().unwrap()
        } else {
            PartitionSelector::all()
        };
        let request = PlanRequest::new(assets.map(|(_, id)| id).collect(), partitions);
        // Some requests select nothing.
        let Ok(plan) = Plan::new(lineage, &request, &AssetStatuses::default()) else {
            return Ok(());
        };
        let layout = Layout::from_graph(&graph).unwrap();

        // The rest of the plan, without the partitions that `done` marks.
        let left = |stage: usize, ordinal: u64| done & (1 << ((ordinal + stage as u64) % 64)) == 0;
        let mut wanted = BTreeMap::new();
        let work = Work::new(lineage, &layout, &plan, |id, set| {
            let rest: PartitionSet = set.iter().filter(|ordinal| left(id.stage, *ordinal)).collect();
            for asset in &plan.stages[id.stage].steps[id.step].assets {
                let asset = graph.id(asset).unwrap();
                wanted.extend(rest.iter().map(|ordinal| ((asset, ordinal), ())));
                }
                rest
        })
        .unwrap();

        // Everything wanted has one position, and comes after its upstream partitions.
        let positions = positions_of(&graph, &layout, &work)?;
        prop_assert!(
            positions.keys().eq(wanted.keys()),
            "{:?} is not {:?}",
            positions.keys(),
            wanted.keys(),
        );
        for ((asset, ordinal), position) in &positions {
            for edge in graph.upstream(*asset) {
                let set = PartitionSet::single(*ordinal);
                let above = lineage.to_upstream(*asset, &set, edge).unwrap().existing;
                for above in above.iter().filter_map(|above| positions.get(&(edge.asset, above))) {
                    // One invocation materializes a batch, even of an asset that depends on itself.
                    let together = edge.asset == *asset && above == position;
                    prop_assert!(
                        together || comes_before(&layout, *above, *position),
                        "{:?} at {position:?} depends on {above:?}",
                        graph.key(*asset),
                    );
                }
            }
        }
    }
}
