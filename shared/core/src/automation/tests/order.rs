//! What became true together.

use super::*;

fn pair() -> AssetGraph {
    graph([
        asset("up", &[], None),
        asset("down", &["up"], Some(AutomationCondition::eager())),
    ])
}

fn one() -> PartitionSet {
    PartitionSet::single(0)
}

/// Both assets are there, and `down` is up to date.
fn settled(graph: &AssetGraph, ordering: Ordering) -> World<'_> {
    let mut world = World::new(graph, ordering);
    world.update("up", one());
    assert_eq!(world.tick(), only(&["down"]));
    world.update("down", one());
    assert_eq!(world.tick(), only(&[]));
    world
}

/// dagster-io/dagster#33587: whichever of the two events of one tick comes first.
#[test]
fn an_update_in_the_tick_of_the_target_s_own_is_not_lost() {
    let graph = pair();
    for (ordering, expected) in [
        (Ordering::Sequence, only(&["down"])),
        (Ordering::Tick, only(&[])),
    ] {
        let mut world = settled(&graph, ordering);
        world.update("down", one());
        world.update("up", one());
        assert_eq!(
            world.tick(),
            expected,
            "{ordering:?}: the target, then what it is made from"
        );
        assert_eq!(
            world.tick(),
            only(&[]),
            "{ordering:?}: it was requested once"
        );

        let mut world = settled(&graph, ordering);
        let began = world.now;
        world.update("up", one());
        world.update_begun("down", one(), Some(began));
        assert_eq!(
            world.tick(),
            expected,
            "{ordering:?}: upstream while the target is made"
        );
        assert_eq!(
            world.tick(),
            only(&[]),
            "{ordering:?}: it was requested once"
        );
    }
}

#[test]
fn an_update_that_the_target_has_read_is_handled() {
    let graph = pair();
    for ordering in [Ordering::Sequence, Ordering::Tick] {
        let mut world = settled(&graph, ordering);
        world.update("up", one());
        let began = world.now + TimeDelta::milliseconds(500);
        world.update_begun("down", one(), Some(began));
        assert_eq!(world.tick(), only(&[]), "{ordering:?}");
        assert_eq!(world.tick(), only(&[]), "{ordering:?}");
    }
}

#[test]
fn an_update_while_the_target_is_made_is_not_lost_when_ticks_come_in_between() {
    let graph = pair();
    for (ordering, expected) in [
        (Ordering::Sequence, only(&["down"])),
        (Ordering::Tick, only(&[])),
    ] {
        let mut world = settled(&graph, ordering);
        let began = world.now;
        let down = world.id("down");
        world.snapshot.asset_mut(down).run_in_progress = one();
        world.update("up", one());
        assert_eq!(world.tick(), only(&[]), "{ordering:?}: it is being made");
        world.snapshot.asset_mut(down).run_in_progress = PartitionSet::empty();
        world.update_begun("down", one(), Some(began));
        assert_eq!(world.tick(), expected, "{ordering:?}");
        assert_eq!(
            world.tick(),
            only(&[]),
            "{ordering:?}: it was requested once"
        );
    }
}

#[test]
fn an_update_between_the_request_and_the_next_tick_is_not_lost() {
    let graph = pair();
    for (ordering, expected) in [
        (Ordering::Sequence, only(&["down"])),
        (Ordering::Tick, only(&[])),
    ] {
        let mut world = settled(&graph, ordering);
        world.update("up", one());
        assert_eq!(world.tick(), only(&["down"]));
        world.update("up", one());
        assert_eq!(world.tick(), expected, "{ordering:?}");
    }
}

#[test]
fn a_cron_tick_that_passes_while_the_target_is_made_is_not_lost() {
    let hourly = AutomationCondition::on_cron("0 * * * *", "UTC");
    let graph = graph([asset("down", &[], Some(hourly))]);
    for (ordering, expected) in [
        (Ordering::Sequence, only(&["down"])),
        (Ordering::Tick, only(&[])),
    ] {
        let mut world = World::new(&graph, ordering);
        let began = world.now;
        world.pass(TimeDelta::hours(1));
        world.update_begun("down", one(), Some(began));
        assert_eq!(world.tick(), expected, "{ordering:?}");
    }
}

#[test]
fn clocks_that_disagree_do_not_change_the_order() {
    let graph = pair();
    let mut world = settled(&graph, Ordering::Sequence);
    let (up, down) = (world.id("up"), world.id("down"));
    let later = world.now + TimeDelta::seconds(5);
    world
        .snapshot
        .record(down, Update::new(world.sequence + 1, later, one()));
    world
        .snapshot
        .record(up, Update::new(world.sequence + 2, world.now, one()));
    world.now = later;
    assert_eq!(world.tick(), only(&["down"]));
}
