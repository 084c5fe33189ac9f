//! What holds of every plan that is laid out.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::{
    graph::{AssetGraph, AssetId},
    partitions::PartitionSet,
    plan::{
        Lineage, PartitionSelector, Plan, PlanRequest, Record,
        tests::{any_drawn, context, drawn_graph},
    },
};

/// Where a partition of an asset is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    stage: usize,
    item: usize,
    step: usize,
}

/// Where everything is made. Fails when something is made twice.
fn places(
    graph: &AssetGraph,
    layout: &Layout,
    work: &Work,
) -> Result<BTreeMap<(AssetId, u64), Place>, TestCaseError> {
    let mut places = BTreeMap::new();
    for work in &work.stages {
        let stage = &layout.stages[work.stage];
        for (item, data) in work.items.iter().enumerate() {
            prop_assert!(!data.steps.is_empty(), "an item without steps");
            let mut before = None;
            for name in data.steps.keys() {
                let (step, laid_out) = stage.step(name.as_str()).expect("a step of the stage");
                prop_assert!(before < Some(step), "steps out of order");
                before = Some(step);
                let part = data.steps[name].part.as_ref();
                let assets = part.map_or(&laid_out.assets, |part| &part.assets);
                for asset in assets.iter().map(|key| graph.id(key).expect("an asset")) {
                    for ordinal in data
                        .partitions_of(name)
                        .into_iter()
                        .flat_map(PartitionSet::iter)
                    {
                        let place = Place {
                            stage: work.stage,
                            item,
                            step,
                        };
                        let twice = places.insert((asset, ordinal), place);
                        prop_assert!(twice.is_none(), "made twice: {asset:?} {ordinal}");
                    }
                }
            }
        }
    }
    Ok(places)
}

/// Whether one place is done with before another begins.
fn comes_before(layout: &Layout, first: Place, then: Place) -> bool {
    let (one, other) = (&layout.stages[first.stage], &layout.stages[then.stage]);
    if first.stage != then.stage {
        return one.wave < other.wave;
    }
    match first.item == then.item {
        true => first.step < then.step,
        false => one.in_order && first.item < then.item,
    }
}

proptest! {
    #[test]
    fn work_holds_everything_once_and_nothing_too_early(
        drawn in any_drawn(),
        asked in any::<u8>(),
        few in any::<bool>(),
        done in any::<u64>(),
    ) {
        let graph = drawn_graph(&drawn);
        let context = context();
        let lineage = Lineage::new(&graph, &context);
        let is_asked = |place: usize| asked & (1 << place) != 0;
        let assets = graph.ids().enumerate().filter(|(place, _)| is_asked(*place));
        let partitions: PartitionSelector = match few {
            true => "2024-06-05...2024-06-07".parse().unwrap(),
            false => PartitionSelector::all(),
        };
        let request = PlanRequest::new(assets.map(|(_, id)| id).collect(), partitions);
        // Some requests ask for nothing that there is.
        let Ok(plan) = Plan::new(lineage, &request, &Record::default()) else {
            return Ok(());
        };
        let layout = Layout::of(&graph).unwrap();

        // What is left of the plan: without one partition in each so many.
        let left = |stage: usize, ordinal: u64| done & (1 << ((ordinal + stage as u64) % 64)) == 0;
        let mut wanted = BTreeMap::new();
        let work = Work::new(lineage, &layout, &plan, |id, set| {
            let set: PartitionSet = set.iter().filter(|ordinal| left(id.stage, *ordinal)).collect();
            for asset in &plan.stages[id.stage].steps[id.step].assets {
                let asset = graph.id(asset).unwrap();
                wanted.extend(set.iter().map(|ordinal| ((asset, ordinal), ())));
            }
            set
        })
        .unwrap();

        let places = places(&graph, &layout, &work)?;
        prop_assert!(places.keys().eq(wanted.keys()), "{:?} is not {:?}", places.keys(), wanted.keys());
        for ((asset, ordinal), place) in &places {
            for edge in graph.upstream(*asset) {
                let set = PartitionSet::single(*ordinal);
                let above = lineage.to_upstream(*asset, &set, edge).unwrap().existing;
                for above in above.iter().filter_map(|above| places.get(&(edge.asset, above))) {
                    // A batch of an asset is made in one go, from itself too.
                    let together = edge.asset == *asset && above == place;
                    prop_assert!(
                        together || comes_before(&layout, *above, *place),
                        "{:?} is made at {place:?}, from what is made at {above:?}",
                        graph.key(*asset),
                    );
                }
            }
        }
    }
}
