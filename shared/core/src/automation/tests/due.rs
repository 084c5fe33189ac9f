//! Changes by time alone, and evaluations that need not be stored.

use proptest::{collection::vec, prelude::*};

use super::*;
use crate::partitions::MultiPartitions;

use AutomationCondition as Condition;

fn moment(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn next_change_of(graph: &AssetGraph, now: &str) -> Option<DateTime<Utc>> {
    let conditions = Conditions::new(graph, Ordering::default()).unwrap();
    conditions.next_change(&PartitionContext::at(moment(now)))
}

fn eager_asset(name: &str, partitions: &Arc<PartitionsDefinition>) -> AssetSpec {
    AssetSpec {
        partitions: Some(Arc::clone(partitions)),
        ..asset_spec(name, &[], Some(Condition::eager()))
    }
}

#[test]
fn time_changes_nothing_without_schedules_or_windows() {
    let graph = graph_of([
        asset_spec("up", &[], None),
        asset_spec("down", &["up"], Some(Condition::eager())),
        AssetSpec {
            automation: None,
            ..eager_asset("apart", &daily_partitions("2024-01-01"))
        },
    ]);
    assert_eq!(next_change_of(&graph, "2024-06-10T00:00:00Z"), None);
}

#[test]
fn the_next_tick_of_any_schedule_is_due_across_a_change_of_the_clock() {
    let graph = graph_of([
        asset_spec(
            "a",
            &[],
            Some(Condition::on_cron("30 2 * * *", "America/New_York")),
        ),
        asset_spec("b", &[], Some(Condition::on_cron("0 12 * * *", "UTC"))),
    ]);
    let noon = Some(moment("2024-03-10T12:00:00Z"));
    assert_eq!(next_change_of(&graph, "2024-03-10T07:00:00Z"), noon);
    // On 10 March 02:30 is skipped: the tick comes right after the clock change.
    assert_eq!(
        next_change_of(&graph, "2024-03-09T12:00:00Z"),
        Some(moment("2024-03-10T07:00:00Z"))
    );
    assert_eq!(
        next_change_of(&graph, "2024-03-10T12:00:00Z"),
        Some(moment("2024-03-11T06:30:00Z"))
    );
}

#[test]
fn a_window_that_closes_is_due() {
    let days = daily_partitions("2024-06-09");
    let one = graph_of([eager_asset("a", &days)]);
    assert_eq!(
        next_change_of(&one, "2024-06-10T00:00:00Z"),
        Some(moment("2024-06-11T00:00:00Z"))
    );
    assert_eq!(
        next_change_of(&one, "2024-06-10T23:59:59Z"),
        Some(moment("2024-06-11T00:00:00Z"))
    );
    // Before the first window.
    assert_eq!(
        next_change_of(&one, "2024-01-01T00:00:00Z"),
        Some(moment("2024-06-10T00:00:00Z"))
    );
    let dimensions = MultiPartitions::new([
        ("day", days.as_ref().clone()),
        (
            "size",
            crate::partitions::StaticPartitions::new(["s", "l"])
                .unwrap()
                .into(),
        ),
    ]);
    let day_and_size = Arc::new(dimensions.unwrap().into());
    let multi = graph_of([eager_asset("a", &day_and_size)]);
    assert_eq!(
        next_change_of(&multi, "2024-06-10T12:00:00Z"),
        Some(moment("2024-06-11T00:00:00Z"))
    );
}

#[test]
fn every_new_window_is_due_and_none_after_the_end() {
    for offset in -2..=2 {
        let windows = TimeWindowPartitions::hourly("2024-06-10-00:00")
            .end("2024-06-10-12:00")
            .end_offset(offset)
            .exclude("0 5 * * *")
            .build()
            .unwrap();
        let graph = graph_of([eager_asset("a", &Arc::new(windows.clone().into()))]);
        let mut now = moment("2024-06-09T20:10:00Z");
        for _ in 0..(20 * 12) {
            let later = now + TimeDelta::minutes(5);
            let due = next_change_of(&graph, &now.to_rfc3339());
            if windows.count(later) > windows.count(now) {
                let found =
                    due.unwrap_or_else(|| panic!("offset {offset}: nothing due after {now}"));
                assert!(
                    found > now && found <= later,
                    "offset {offset} at {now}: {found}"
                );
            }
            now = later;
        }
        assert_eq!(
            next_change_of(&graph, "2024-06-11T00:00:00Z"),
            None,
            "offset {offset}"
        );
    }
}

#[test]
fn assets_that_a_condition_refers_to_are_targets() {
    let graph = graph_of([
        asset_spec("far", &[], None),
        asset_spec("up", &["far"], None),
        asset_spec(
            "down",
            &["up"],
            Some(Condition::any_deps_match(Condition::newly_updated())),
        ),
        asset_spec("apart", &[], None),
    ]);
    let conditions = Conditions::new(&graph, Ordering::default()).unwrap();
    let targets: Vec<&str> = conditions
        .target_assets()
        .iter()
        .map(|id| graph.key(id).as_str())
        .collect();
    assert_eq!(targets, ["down", "up"]);
}

#[test]
fn an_evaluation_without_events_is_idle() {
    let graph = graph_of([
        asset_spec("up", &[], None),
        asset_spec(
            "down",
            &["up"],
            Some(Condition::on_cron("0 * * * *", "UTC")),
        ),
    ]);
    let mut world = World::new(&graph, Ordering::Sequence);
    let before = world.cursor.clone();
    let evaluation = world.evaluate_next_tick();
    assert!(world.conditions.is_idle(&before, &evaluation));
    assert!(
        !world
            .conditions
            .is_idle(&AutomationCursor::default(), &evaluation)
    );
    // A tick of the schedule has to be stored, even if it requests nothing.
    world.advance_clock(TimeDelta::hours(1));
    let before = world.cursor.clone();
    let evaluation = world.evaluate_next_tick();
    assert!(evaluation.requested.is_empty());
    assert!(!world.conditions.is_idle(&before, &evaluation));
}

proptest! {
    /// Skipping the cursors of idle evaluations does not change the requests.
    #[test]
    fn an_idle_evaluation_need_not_be_stored(
        chosen in (0_usize..4, 0_usize..4),
        partitioned: bool,
        steps in vec((0_usize..9, 0_u64..2, 0_i64..900), 1..50),
    ) {
        let conditions = [
            Condition::eager(),
            Condition::on_cron("0 * * * *", "UTC"),
            Condition::on_missing(),
            Condition::missing().newly_true() | Condition::cron_tick_passed("*/7 * * * *", "UTC"),
        ];
        let mut assets = vec![
            asset_spec("a", &[], None),
            asset_spec("b", &["a"], Some(conditions[chosen.0].clone())),
            asset_spec("c", &["a", "b"], Some(conditions[chosen.1].clone())),
        ];
        if partitioned {
            let days = daily_partitions("2024-06-08");
            assets.iter_mut().for_each(|asset| asset.partitions = Some(Arc::clone(&days)));
        }
        let graph = graph_of(assets);
        let mut world = World::new(&graph, Ordering::Sequence);
        let mut sparse = world.cursor.clone();
        for (event, ordinal, seconds) in steps {
            let updated = ["a", "b", "c"].get(event);
            if let Some(name) = updated {
                world.materialize(name, PartitionSet::single(ordinal));
            }
            world.advance_clock(TimeDelta::seconds(1 + seconds));
            let context = world.context();
            let evaluate = |cursor| {
                let evaluation = world.conditions.evaluate_tick(&world.snapshot, cursor, &context);
                evaluation.unwrap()
            };
            // `sparse` stays at the last cursor that was not idle.
            let (full, thin) = (evaluate(&world.cursor), evaluate(&sparse));
            prop_assert_eq!(full.requested, thin.requested.clone());
            if updated.is_some() || !world.conditions.is_idle(&sparse, &thin) {
                sparse = thin.cursor;
            }
            world.cursor = full.cursor;
        }
    }
}
