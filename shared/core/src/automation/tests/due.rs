//! When conditions change with time alone, and which evaluations need not be stored.

use proptest::{collection::vec, prelude::*};

use super::*;
use crate::partitions::MultiPartitions;

use AutomationCondition as Condition;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn next(graph: &AssetGraph, now: &str) -> Option<DateTime<Utc>> {
    let conditions = Conditions::new(graph, Ordering::default()).unwrap();
    conditions.next_change(&PartitionContext::at(at(now)))
}

fn divided(name: &str, partitions: &Arc<PartitionsDefinition>) -> AssetSpec {
    AssetSpec {
        partitions: Some(Arc::clone(partitions)),
        ..asset(name, &[], Some(Condition::eager()))
    }
}

#[test]
fn time_changes_nothing_that_does_not_ask_for_it() {
    let graph = graph([
        asset("up", &[], None),
        asset("down", &["up"], Some(Condition::eager())),
        AssetSpec {
            automation: None,
            ..divided("apart", &daily("2024-01-01"))
        },
    ]);
    assert_eq!(next(&graph, "2024-06-10T00:00:00Z"), None);
}

#[test]
fn the_next_tick_of_any_schedule_is_due_across_a_change_of_the_clock() {
    let graph = graph([
        asset(
            "a",
            &[],
            Some(Condition::on_cron("30 2 * * *", "America/New_York")),
        ),
        asset("b", &[], Some(Condition::on_cron("0 12 * * *", "UTC"))),
    ]);
    let noon = Some(at("2024-03-10T12:00:00Z"));
    assert_eq!(next(&graph, "2024-03-10T07:00:00Z"), noon);
    // On 10 March there is no half past two: the tick comes when the clock goes on.
    assert_eq!(
        next(&graph, "2024-03-09T12:00:00Z"),
        Some(at("2024-03-10T07:00:00Z"))
    );
    assert_eq!(
        next(&graph, "2024-03-10T12:00:00Z"),
        Some(at("2024-03-11T06:30:00Z"))
    );
}

#[test]
fn a_window_that_closes_is_due() {
    let days = daily("2024-06-09");
    let one = graph([divided("a", &days)]);
    assert_eq!(
        next(&one, "2024-06-10T00:00:00Z"),
        Some(at("2024-06-11T00:00:00Z"))
    );
    assert_eq!(
        next(&one, "2024-06-10T23:59:59Z"),
        Some(at("2024-06-11T00:00:00Z"))
    );
    // Before the first one.
    assert_eq!(
        next(&one, "2024-01-01T00:00:00Z"),
        Some(at("2024-06-10T00:00:00Z"))
    );
    let both = MultiPartitions::new([
        ("day", days.as_ref().clone()),
        (
            "size",
            crate::partitions::StaticPartitions::new(["s", "l"])
                .unwrap()
                .into(),
        ),
    ]);
    let both = Arc::new(both.unwrap().into());
    let multi = graph([divided("a", &both)]);
    assert_eq!(
        next(&multi, "2024-06-10T12:00:00Z"),
        Some(at("2024-06-11T00:00:00Z"))
    );
}

#[test]
fn every_new_window_is_due_and_none_behind_the_end() {
    for offset in -2..=2 {
        let windows = TimeWindowPartitions::hourly("2024-06-10-00:00")
            .end("2024-06-10-12:00")
            .end_offset(offset)
            .exclude("0 5 * * *")
            .build()
            .unwrap();
        let graph = graph([divided("a", &Arc::new(windows.clone().into()))]);
        let mut now = at("2024-06-09T20:10:00Z");
        for _ in 0..(20 * 12) {
            let later = now + TimeDelta::minutes(5);
            let due = next(&graph, &now.to_rfc3339());
            if windows.count(later) > windows.count(now) {
                let due = due.unwrap_or_else(|| panic!("offset {offset}: nothing due after {now}"));
                assert!(due > now && due <= later, "offset {offset} at {now}: {due}");
            }
            now = later;
        }
        assert_eq!(
            next(&graph, "2024-06-11T00:00:00Z"),
            None,
            "offset {offset}"
        );
    }
}

#[test]
fn what_a_condition_looks_at_elsewhere_is_a_target() {
    let graph = graph([
        asset("far", &[], None),
        asset("up", &["far"], None),
        asset(
            "down",
            &["up"],
            Some(Condition::any_deps_match(Condition::newly_updated())),
        ),
        asset("apart", &[], None),
    ]);
    let conditions = Conditions::new(&graph, Ordering::default()).unwrap();
    let targets: Vec<&str> = conditions
        .targets()
        .iter()
        .map(|id| graph.key(id).as_str())
        .collect();
    assert_eq!(targets, ["down", "up"]);
}

#[test]
fn an_evaluation_to_which_nothing_happened_is_idle() {
    let graph = graph([
        asset("up", &[], None),
        asset(
            "down",
            &["up"],
            Some(Condition::on_cron("0 * * * *", "UTC")),
        ),
    ]);
    let mut world = World::new(&graph, Ordering::Sequence);
    let before = world.cursor.clone();
    let evaluation = world.evaluate();
    assert!(world.conditions.is_idle(&before, &evaluation));
    assert!(
        !world
            .conditions
            .is_idle(&AutomationCursor::default(), &evaluation)
    );
    // A tick of the schedule has to be put down, whatever comes of it.
    world.pass(TimeDelta::hours(1));
    let before = world.cursor.clone();
    let evaluation = world.evaluate();
    assert!(evaluation.requested.is_empty());
    assert!(!world.conditions.is_idle(&before, &evaluation));
}

proptest! {
    /// Whoever leaves out the cursors of idle evaluations requests the same.
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
            asset("a", &[], None),
            asset("b", &["a"], Some(conditions[chosen.0].clone())),
            asset("c", &["a", "b"], Some(conditions[chosen.1].clone())),
        ];
        if partitioned {
            let days = daily("2024-06-08");
            assets.iter_mut().for_each(|asset| asset.partitions = Some(Arc::clone(&days)));
        }
        let graph = graph(assets);
        let mut world = World::new(&graph, Ordering::Sequence);
        let mut sparse = world.cursor.clone();
        for (event, ordinal, seconds) in steps {
            let updated = ["a", "b", "c"].get(event);
            if let Some(name) = updated {
                world.update(name, PartitionSet::single(ordinal));
            }
            world.pass(TimeDelta::seconds(1 + seconds));
            let context = world.context();
            let evaluate = |cursor| {
                let evaluation = world.conditions.evaluate(&world.snapshot, cursor, &context);
                evaluation.unwrap()
            };
            let (full, thin) = (evaluate(&world.cursor), evaluate(&sparse));
            prop_assert_eq!(full.requested, thin.requested.clone());
            if updated.is_some() || !world.conditions.is_idle(&sparse, &thin) {
                sparse = thin.cursor;
            }
            world.cursor = full.cursor;
        }
    }
}
