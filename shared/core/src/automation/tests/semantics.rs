//! What conditions mean, beside what the vectors say of it.

use super::*;
use crate::{
    automation::{RunFacts, RunTags},
    key::CheckKey,
    spec::CheckSpec,
};

use AutomationCondition as Condition;

#[test]
fn assets_of_one_op_are_requested_together() {
    let assets = vec![
        asset("left", &["up"], Some(Condition::eager())),
        asset("right", &[], None),
    ];
    let multi = OpSpec {
        can_subset: false,
        ..OpSpec::new("both", assets)
    };
    let ops = vec![
        OpSpec::single(asset("up", &[], None)),
        multi,
        OpSpec::single(asset("under", &["right"], Some(Condition::eager()))),
    ];
    let graph = AssetGraph::new(ops, vec![]).unwrap();
    let mut world = World::new(&graph, Ordering::Sequence);
    world.update("up", PartitionSet::single(0));
    assert_eq!(world.tick(), only(&["left", "right", "under"]));
}

#[test]
fn a_filter_chooses_among_the_upstream_assets() {
    let some = Condition::any_deps_match(Condition::newly_updated());
    for (condition, expected) in [
        (some.allow("a".parse().unwrap()), only(&["down"])),
        (some.ignore("a".parse().unwrap()), only(&[])),
        (some.allow("b".parse().unwrap()), only(&[])),
    ] {
        let graph = graph([
            asset("a", &[], None),
            asset("b", &[], None),
            asset("down", &["a", "b"], Some(condition.clone())),
        ]);
        let mut world = World::new(&graph, Ordering::Sequence);
        world.update("a", PartitionSet::single(0));
        assert_eq!(world.tick(), expected, "{condition}");
    }
}

#[test]
fn checks_answer_for_their_asset() {
    let check = |name: &str, blocking| CheckSpec {
        blocking,
        ..CheckSpec::new(CheckKey {
            asset: key("up"),
            name: name.parse().unwrap(),
        })
    };
    let failed = Condition::any_checks_match(Condition::check_failed());
    let up = OpSpec {
        checks: vec![check("strict", true), check("loose", false)],
        ..OpSpec::single(asset("up", &[], Some(failed.clone())))
    };
    let watching = asset(
        "watching",
        &["up"],
        Some(Condition::any_deps_match(failed.blocking_only())),
    );
    let graph = AssetGraph::new(vec![up, OpSpec::single(watching)], vec![]).unwrap();
    let mut world = World::new(&graph, Ordering::Sequence);
    world.snapshot.check_mut(&check("loose", false).key).failed = PartitionSet::single(0);
    assert_eq!(world.tick(), only(&["up"]));
    world.snapshot.check_mut(&check("strict", true).key).failed = PartitionSet::single(0);
    assert_eq!(world.tick(), only(&["up", "watching"]));
}

#[test]
fn updates_of_a_run_that_also_makes_the_target_do_not_count() {
    let graph = graph([
        asset("up", &[], None),
        asset("down", &["up"], Some(Condition::any_deps_updated())),
    ]);
    let mut world = World::new(&graph, Ordering::Sequence);
    let up = world.id("up");
    for (assets, expected) in [
        (vec!["up"], only(&["down"])),
        (vec!["up", "down"], only(&[])),
    ] {
        let assets = assets.into_iter().map(key).collect();
        let run = world.snapshot.add_run(RunFacts {
            assets,
            ..RunFacts::default()
        });
        world.sequence += 1;
        let update = Update::new(world.sequence, world.now, PartitionSet::single(0));
        world.snapshot.record(
            up,
            Update {
                run: Some(run),
                ..update
            },
        );
        assert_eq!(world.tick(), expected);
    }
}

#[test]
fn run_tags_are_asked_of_new_updates_and_of_the_latest() {
    let nightly = || RunTags::value("by", "nightly");
    let graph = graph([
        asset("up", &[], None),
        asset(
            "any",
            &["up"],
            Some(Condition::any_deps_match(
                Condition::any_new_update_has_run_tags(nightly()),
            )),
        ),
        asset(
            "all",
            &["up"],
            Some(Condition::any_deps_match(
                Condition::all_new_updates_have_run_tags(nightly()),
            )),
        ),
        asset(
            "latest",
            &["up"],
            Some(Condition::any_deps_match(Condition::executed_with_tags(
                nightly(),
            ))),
        ),
    ]);
    let mut world = World::new(&graph, Ordering::Sequence);
    let up = world.id("up");
    let tags = [("by".to_owned(), "nightly".to_owned())].into();
    let run = world.snapshot.add_run(RunFacts {
        tags,
        ..RunFacts::default()
    });
    let update = Update::new(1, world.now, PartitionSet::single(0));
    world.snapshot.record(
        up,
        Update {
            run: Some(run),
            ..update.clone()
        },
    );
    assert_eq!(world.tick(), only(&["all", "any", "latest"]));
    world.snapshot.record(
        up,
        Update {
            sequence: 2,
            run: Some(run),
            ..update.clone()
        },
    );
    world.snapshot.record(
        up,
        Update {
            sequence: 3,
            ..update
        },
    );
    assert_eq!(world.tick(), only(&["any"]));
}

#[test]
fn a_condition_downstream_can_be_taken_upstream() {
    let graph = graph([
        asset("up", &[], Some(Condition::any_downstream_conditions())),
        asset(
            "down",
            &["up"],
            Some(Condition::on_cron("0 * * * *", "UTC")),
        ),
    ]);
    let mut world = World::new(&graph, Ordering::Sequence);
    world.pass(TimeDelta::hours(1));
    assert_eq!(world.tick(), only(&["down", "up"]));
}

#[test]
fn looking_back_takes_the_windows_that_start_in_the_span() {
    let latest = |hours| {
        let mut spec = asset(
            "a",
            &[],
            Some(Condition::in_latest_time_windows(TimeDelta::hours(hours))),
        );
        spec.partitions = Some(daily("2024-06-01"));
        let graph = graph([spec]);
        World::new(&graph, Ordering::Sequence).tick()["a"].clone()
    };
    assert_eq!(latest(48), [7, 8]);
    assert_eq!(latest(47), [8]);
    assert_eq!(latest(10_000), (0..9).collect::<Vec<_>>());
}

#[test]
fn a_cursor_of_another_definition_is_not_believed() {
    let missing = || Condition::missing().newly_true() & !Condition::initial_evaluation();
    let with_start = |start: &str| {
        let mut spec = asset("a", &[], Some(missing()));
        spec.partitions = Some(daily(start));
        graph([spec])
    };
    let before = with_start("2024-06-01");
    let mut world = World::new(&before, Ordering::Sequence);
    assert_eq!(world.tick(), BTreeMap::new());

    let after = with_start("2024-06-03");
    let mut moved = World::new(&after, Ordering::Sequence);
    moved.cursor = world.cursor.clone();
    assert_eq!(
        moved.tick(),
        BTreeMap::new(),
        "this is an initial evaluation again"
    );

    let mut same = World::new(&before, Ordering::Sequence);
    same.cursor = world.cursor;
    same.pass(TimeDelta::days(1));
    assert_eq!(
        same.tick()["a"],
        [9],
        "a day that was added is no other definition"
    );
}

#[test]
fn a_filter_reaches_every_operator_over_dependencies_but_none_inside_them() {
    let inner = Condition::any_deps_match(Condition::any_deps_match(Condition::missing()));
    let filtered = (inner.clone() & !inner.newly_true()).ignore("a".parse().unwrap());
    assert_eq!(
        filtered.to_string(),
        "any_deps_match[ignore=a](any_deps_match(missing)) \
         & !newly_true(any_deps_match(any_deps_match(missing)))"
    );
}

#[test]
fn parts_can_be_taken_out_of_three_or_more() {
    let eager = Condition::eager();
    let anytime = eager.without(&Condition::in_latest_time_window()).unwrap();
    assert_eq!(anytime.children().len(), 4);
    let refusal = (Condition::missing() & Condition::newly_updated())
        .without(&Condition::missing())
        .unwrap_err();
    insta::assert_snapshot!(refusal, @"`missing` cannot be taken out of `missing & newly_updated`: it must be one of three or more parts joined with `&` there");
}
