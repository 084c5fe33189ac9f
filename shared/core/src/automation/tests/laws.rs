//! Properties of any history.

use proptest::{collection::vec, prelude::*};

use super::*;

/// Graphs of five assets with any dependencies and any choice of daily assets.
fn any_graph() -> impl Strategy<Value = AssetGraph> {
    (vec(any::<u8>(), 5), vec(any::<bool>(), 5)).prop_map(|(edges, daily_ones)| {
        let days = daily_partitions("2024-06-01");
        graph_of((0..5).map(|index| {
            let keys: Vec<String> = (0..index)
                .filter(|dep| edges[index] >> dep & 1 == 1)
                .map(|dep| format!("a{dep}"))
                .collect();
            let deps: Vec<&str> = keys.iter().map(String::as_str).collect();
            let condition = (edges[index] >> 7 == 0).then(AutomationCondition::eager);
            let mut spec = asset_spec(&format!("a{index}"), &deps, condition);
            spec.partitions = daily_ones[index].then(|| Arc::clone(&days));
            spec
        }))
    })
}

/// Histories: the (asset, day) pairs that are materialized before each tick.
fn any_history() -> impl Strategy<Value = Vec<Vec<(usize, u64)>>> {
    vec(vec((0..5_usize, 0..9_u64), 0..4), 1..6)
}

fn play_step(world: &mut World<'_>, step: &[(usize, u64)]) {
    for (index, day) in step {
        let name = format!("a{index}");
        let whole = world.graph.partitions(world.asset_id(&name)).is_none();
        world.materialize(&name, PartitionSet::single(if whole { 0 } else { *day }));
    }
}

proptest! {
    #[test]
    fn a_tick_without_events_after_a_tick_requests_nothing(
        graph in any_graph(),
        history in any_history(),
        sequence in any::<bool>(),
    ) {
        let ordering = if sequence { Ordering::Sequence } else { Ordering::Tick };
        let mut world = World::new(&graph, ordering);
        for step in &history {
            play_step(&mut world, step);
            world.next_requests();
            prop_assert_eq!(world.next_requests(), BTreeMap::new());
        }
    }

    #[test]
    fn what_is_requested_exists(graph in any_graph(), history in any_history()) {
        let mut world = World::new(&graph, Ordering::Sequence);
        for step in &history {
            play_step(&mut world, step);
            for (key, requested) in world.evaluate_next_tick().requested {
                let id = graph.id(&key).unwrap();
                let all = graph.partitions(id).map_or_else(
                    || PartitionSet::single(0),
                    |definition| definition.all(&world.context()),
                );
                prop_assert!(requested.is_subset(&all));
            }
        }
    }

    #[test]
    fn by_the_order_of_events_no_less_is_requested(graph in any_graph(), step in vec((0..5_usize, 0..9_u64), 0..6)) {
        let mut tick = World::new(&graph, Ordering::Tick);
        let mut sequence = World::new(&graph, Ordering::Sequence);
        play_step(&mut tick, &step);
        play_step(&mut sequence, &step);
        let ordered = sequence.evaluate_next_tick().requested;
        for (key, requested) in tick.evaluate_next_tick().requested {
            prop_assert!(ordered.get(&key).is_some_and(|more| requested.is_subset(more)));
        }
    }
}
