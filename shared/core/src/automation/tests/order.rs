//! Events that happen between the same two ticks.

use super::*;

fn two_asset_graph() -> AssetGraph {
    graph_of([
        asset_spec("up", &[], None),
        asset_spec("down", &["up"], Some(AutomationCondition::eager())),
    ])
}

fn only_partition() -> PartitionSet {
    PartitionSet::single(0)
}

/// A world in which both assets are materialized and `down` is up to date.
fn up_to_date_world(graph: &AssetGraph, ordering: Ordering) -> World<'_> {
    let mut world = World::new(graph, ordering);
    world.materialize("up", only_partition());
    assert_eq!(world.next_requests(), whole_assets(&["down"]));
    world.materialize("down", only_partition());
    assert_eq!(world.next_requests(), whole_assets(&[]));
    world
}

/// dagster-io/dagster#33587, in both orders of the two events.
#[test]
fn an_update_in_the_tick_of_the_target_s_own_is_not_lost() {
    let graph = two_asset_graph();
    for (ordering, expected) in [
        (Ordering::Sequence, whole_assets(&["down"])),
        (Ordering::Tick, whole_assets(&[])),
    ] {
        let mut world = up_to_date_world(&graph, ordering);
        world.materialize("down", only_partition());
        world.materialize("up", only_partition());
        assert_eq!(
            world.next_requests(),
            expected,
            "{ordering:?}: the target, then its upstream asset"
        );
        assert_eq!(
            world.next_requests(),
            whole_assets(&[]),
            "{ordering:?}: it was requested once"
        );

        let mut world = up_to_date_world(&graph, ordering);
        let began = world.now;
        world.materialize("up", only_partition());
        world.materialize_begun("down", only_partition(), Some(began));
        assert_eq!(
            world.next_requests(),
            expected,
            "{ordering:?}: upstream while the target is in progress"
        );
        assert_eq!(
            world.next_requests(),
            whole_assets(&[]),
            "{ordering:?}: it was requested once"
        );
    }
}

#[test]
fn an_update_that_the_target_has_read_is_handled() {
    let graph = two_asset_graph();
    for ordering in [Ordering::Sequence, Ordering::Tick] {
        let mut world = up_to_date_world(&graph, ordering);
        world.materialize("up", only_partition());
        let began = world.now + TimeDelta::milliseconds(500);
        world.materialize_begun("down", only_partition(), Some(began));
        assert_eq!(world.next_requests(), whole_assets(&[]), "{ordering:?}");
        assert_eq!(world.next_requests(), whole_assets(&[]), "{ordering:?}");
    }
}

#[test]
fn an_update_while_the_target_is_made_is_not_lost_when_ticks_come_in_between() {
    let graph = two_asset_graph();
    for (ordering, expected) in [
        (Ordering::Sequence, whole_assets(&["down"])),
        (Ordering::Tick, whole_assets(&[])),
    ] {
        let mut world = up_to_date_world(&graph, ordering);
        let began = world.now;
        let down = world.asset_id("down");
        world.snapshot.asset_facts_mut(down).run_in_progress = only_partition();
        world.materialize("up", only_partition());
        assert_eq!(
            world.next_requests(),
            whole_assets(&[]),
            "{ordering:?}: it is in progress"
        );
        world.snapshot.asset_facts_mut(down).run_in_progress = PartitionSet::empty();
        world.materialize_begun("down", only_partition(), Some(began));
        assert_eq!(world.next_requests(), expected, "{ordering:?}");
        assert_eq!(
            world.next_requests(),
            whole_assets(&[]),
            "{ordering:?}: it was requested once"
        );
    }
}

#[test]
fn an_update_between_the_request_and_the_next_tick_is_not_lost() {
    let graph = two_asset_graph();
    for (ordering, expected) in [
        (Ordering::Sequence, whole_assets(&["down"])),
        (Ordering::Tick, whole_assets(&[])),
    ] {
        let mut world = up_to_date_world(&graph, ordering);
        world.materialize("up", only_partition());
        assert_eq!(world.next_requests(), whole_assets(&["down"]));
        world.materialize("up", only_partition());
        assert_eq!(world.next_requests(), expected, "{ordering:?}");
    }
}

#[test]
fn a_cron_tick_that_passes_while_the_target_is_made_is_not_lost() {
    let hourly = AutomationCondition::on_cron("0 * * * *", "UTC");
    let graph = graph_of([asset_spec("down", &[], Some(hourly))]);
    for (ordering, expected) in [
        (Ordering::Sequence, whole_assets(&["down"])),
        (Ordering::Tick, whole_assets(&[])),
    ] {
        let mut world = World::new(&graph, ordering);
        let began = world.now;
        world.advance_clock(TimeDelta::hours(1));
        world.materialize_begun("down", only_partition(), Some(began));
        assert_eq!(world.next_requests(), expected, "{ordering:?}");
    }
}

#[test]
fn clocks_that_disagree_do_not_change_the_order() {
    let graph = two_asset_graph();
    let mut world = up_to_date_world(&graph, Ordering::Sequence);
    let (up, down) = (world.asset_id("up"), world.asset_id("down"));
    let later = world.now + TimeDelta::seconds(5);
    world.snapshot.record_update(
        down,
        Update::new(world.sequence + 1, later, only_partition()),
    );
    world.snapshot.record_update(
        up,
        Update::new(world.sequence + 2, world.now, only_partition()),
    );
    world.now = later;
    assert_eq!(world.next_requests(), whole_assets(&["down"]));
}
