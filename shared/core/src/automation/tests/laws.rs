//! What holds whatever happens.

use proptest::{collection::vec, prelude::*};

use super::*;

/// Which of the assets each of five is made from, and which are daily.
fn graphs() -> impl Strategy<Value = AssetGraph> {
    (vec(any::<u8>(), 5), vec(any::<bool>(), 5)).prop_map(|(edges, daily_ones)| {
        let days = daily("2024-06-01");
        graph((0..5).map(|place| {
            let deps: Vec<String> = (0..place)
                .filter(|dep| edges[place] >> dep & 1 == 1)
                .map(|dep| format!("a{dep}"))
                .collect();
            let deps: Vec<&str> = deps.iter().map(String::as_str).collect();
            let condition = (edges[place] >> 7 == 0).then(AutomationCondition::eager);
            let mut spec = asset(&format!("a{place}"), &deps, condition);
            spec.partitions = daily_ones[place].then(|| Arc::clone(&days));
            spec
        }))
    })
}

/// Steps of (asset, days) that are materialized before a tick.
fn histories() -> impl Strategy<Value = Vec<Vec<(usize, u64)>>> {
    vec(vec((0..5_usize, 0..9_u64), 0..4), 1..6)
}

fn play(world: &mut World<'_>, step: &[(usize, u64)]) {
    for (place, day) in step {
        let name = format!("a{place}");
        let whole = world.graph.partitions(world.id(&name)).is_none();
        world.update(&name, PartitionSet::single(if whole { 0 } else { *day }));
    }
}

proptest! {
    #[test]
    fn a_tick_without_events_after_a_tick_requests_nothing(
        graph in graphs(),
        history in histories(),
        sequence in any::<bool>(),
    ) {
        let ordering = if sequence { Ordering::Sequence } else { Ordering::Tick };
        let mut world = World::new(&graph, ordering);
        for step in &history {
            play(&mut world, step);
            world.tick();
            prop_assert_eq!(world.tick(), BTreeMap::new());
        }
    }

    #[test]
    fn what_is_requested_exists(graph in graphs(), history in histories()) {
        let mut world = World::new(&graph, Ordering::Sequence);
        for step in &history {
            play(&mut world, step);
            for (key, requested) in world.evaluate().requested {
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
    fn by_the_order_of_events_no_less_is_requested(graph in graphs(), step in vec((0..5_usize, 0..9_u64), 0..6)) {
        let mut tick = World::new(&graph, Ordering::Tick);
        let mut sequence = World::new(&graph, Ordering::Sequence);
        play(&mut tick, &step);
        play(&mut sequence, &step);
        let ordered = sequence.evaluate().requested;
        for (key, requested) in tick.evaluate().requested {
            prop_assert!(ordered.get(&key).is_some_and(|more| requested.is_subset(more)));
        }
    }
}
