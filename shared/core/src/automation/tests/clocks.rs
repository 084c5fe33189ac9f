//! Machines whose clocks disagree: the order of the record decides, and each change is handled once.

use super::*;

use AutomationCondition as Condition;

fn only_partition() -> PartitionSet {
    PartitionSet::single(0)
}

/// Records an update of `name` with a time that its machine's clock shows.
fn record_at(world: &mut World<'_>, name: &str, at: DateTime<Utc>, took: TimeDelta) {
    world.sequence += 1;
    let update = Update {
        began: Some(at - took),
        ..Update::new(world.sequence, at, only_partition())
    };
    let id = world.asset_id(name);
    world.snapshot.record_update(id, update);
}

/// The conditions that are requested by an upstream update.
fn updated_conditions() -> Vec<Condition> {
    vec![
        Condition::eager(),
        Condition::any_deps_updated().since_last_handled(),
        Condition::any_deps_updated().since(Condition::newly_requested()),
        Condition::any_deps_match(Condition::data_version_changed()).since_last_handled(),
    ]
}

#[test]
fn an_update_of_a_clock_ahead_or_behind_is_requested_once() {
    for condition in updated_conditions() {
        for hours in [-24, -1, 1, 24 * 365] {
            let graph = graph_of([
                asset_spec("up", &[], None),
                asset_spec("down", &["up"], Some(condition.clone())),
            ]);
            let mut world = World::new(&graph, Ordering::Sequence);
            let at = world.now + TimeDelta::hours(hours);
            record_at(&mut world, "up", at, TimeDelta::zero());
            let what = format!("{condition}, {hours} h");
            assert_eq!(world.next_requests(), whole_assets(&["down"]), "{what}");
            for _ in 0..5 {
                assert_eq!(world.next_requests(), whole_assets(&[]), "{what}");
            }
            // The requested run, by the evaluator's clock and by the other one.
            for at in [world.now, at] {
                record_at(&mut world, "down", at, TimeDelta::seconds(30));
                assert_eq!(world.next_requests(), whole_assets(&[]), "{what}");
            }
            // The next change is requested, whichever clock it has.
            for at in [world.now, at, world.now - TimeDelta::hours(2)] {
                record_at(&mut world, "up", at, TimeDelta::zero());
                assert_eq!(world.next_requests(), whole_assets(&["down"]), "{what}");
                assert_eq!(world.next_requests(), whole_assets(&[]), "{what}");
            }
        }
    }
}

#[test]
fn an_update_while_a_machine_ahead_works_is_not_lost() {
    let graph = graph_of([
        asset_spec("up", &[], None),
        asset_spec("down", &["up"], Some(Condition::eager())),
    ]);
    let mut world = World::new(&graph, Ordering::Sequence);
    let down = world.asset_id("down");
    // The work lasts a minute, and its clock is an hour ahead.
    world.snapshot.asset_facts_mut(down).run_in_progress = only_partition();
    world.advance_clock(TimeDelta::seconds(30));
    world.materialize("up", only_partition());
    assert_eq!(world.next_requests(), whole_assets(&[]));
    world.snapshot.asset_facts_mut(down).run_in_progress = PartitionSet::empty();
    world.advance_clock(TimeDelta::seconds(20));
    let ahead = world.now + TimeDelta::hours(1);
    record_at(&mut world, "down", ahead, TimeDelta::minutes(1));
    assert_eq!(world.next_requests(), whole_assets(&["down"]));
    assert_eq!(world.next_requests(), whole_assets(&[]));
}

#[test]
fn a_clock_that_is_put_back_requests_nothing_again() {
    let hourly = TimeWindowPartitions::hourly("2024-06-09-00:00");
    let hours = Arc::new(PartitionsDefinition::from(hourly.build().unwrap()));
    for condition in [
        Condition::on_missing(),
        Condition::eager(),
        Condition::on_cron("0 * * * *", "UTC"),
        Condition::cron_tick_passed("0 * * * *", "UTC"),
    ] {
        let graph = graph_of([AssetSpec {
            partitions: Some(Arc::clone(&hours)),
            ..asset_spec("asset", &[], Some(condition.clone()))
        }]);
        let mut world = World::new(&graph, Ordering::Sequence);
        world.advance_clock(TimeDelta::hours(1));
        let first = world.next_requests().remove("asset").unwrap();
        let last = *first.last().unwrap();
        for minutes in [-10, -20, 40] {
            world.advance_clock(TimeDelta::minutes(minutes));
            let again = world.next_requests().remove("asset").unwrap_or_default();
            assert!(!again.contains(&last), "{condition}");
        }
        world.advance_clock(TimeDelta::hours(1));
        assert_eq!(world.next_requests().len(), 1, "{condition}");
    }
}

#[test]
fn a_cron_tick_at_the_moment_of_an_evaluation_counts_once() {
    let condition = Condition::on_cron("0 * * * *", "UTC");
    let graph = graph_of([asset_spec("asset", &[], Some(condition))]);
    let mut world = World::new(&graph, Ordering::Sequence);
    world.now = "2024-06-10T00:59:59Z".parse().unwrap();
    assert_eq!(world.next_requests(), whole_assets(&["asset"]));
    for _ in 0..3 {
        // Without progress of the clock.
        world.advance_clock(TimeDelta::seconds(-1));
        assert_eq!(world.next_requests(), whole_assets(&[]));
    }
}

#[test]
fn a_trigger_that_an_earlier_version_stored_ahead_of_time_is_handled_once() {
    let graph = graph_of([
        asset_spec("up", &[], None),
        asset_spec("down", &["up"], Some(Condition::eager())),
    ]);
    let mut world = World::new(&graph, Ordering::Sequence);
    let down = world.asset_id("down");
    world.snapshot.asset_facts_mut(down).run_in_progress = only_partition();
    world.materialize("up", only_partition());
    assert_eq!(world.next_requests(), whole_assets(&[]));
    let stored = serde_json::to_string(&world.cursor).unwrap();
    let ahead = stored.replace("2024-06-10T00:05:02Z", "2030-01-01T00:00:00Z");
    assert_ne!(ahead, stored);
    world.cursor = serde_json::from_str(&ahead).unwrap();
    world.snapshot.asset_facts_mut(down).run_in_progress = PartitionSet::empty();
    assert_eq!(world.next_requests(), whole_assets(&["down"]));
    for _ in 0..3 {
        assert_eq!(world.next_requests(), whole_assets(&[]));
    }
}
