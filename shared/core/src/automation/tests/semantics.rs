//! The meaning of conditions where the vectors do not cover it.

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
        asset_spec("left", &["up"], Some(Condition::eager())),
        asset_spec("right", &[], None),
    ];
    let multi = OpSpec {
        can_subset: false,
        ..OpSpec::new("both", assets)
    };
    let ops = vec![
        OpSpec::single(asset_spec("up", &[], None)),
        multi,
        OpSpec::single(asset_spec("under", &["right"], Some(Condition::eager()))),
    ];
    let graph = AssetGraph::new(ops, vec![]).unwrap();
    let mut world = World::new(&graph, Ordering::Sequence);
    world.materialize("up", PartitionSet::single(0));
    assert_eq!(
        world.next_requests(),
        whole_assets(&["left", "right", "under"])
    );
}

#[test]
fn a_filter_chooses_among_the_upstream_assets() {
    let some = Condition::any_deps_match(Condition::newly_updated());
    for (condition, expected) in [
        (some.allow("a".parse().unwrap()), whole_assets(&["down"])),
        (some.ignore("a".parse().unwrap()), whole_assets(&[])),
        (some.allow("b".parse().unwrap()), whole_assets(&[])),
    ] {
        let graph = graph_of([
            asset_spec("a", &[], None),
            asset_spec("b", &[], None),
            asset_spec("down", &["a", "b"], Some(condition.clone())),
        ]);
        let mut world = World::new(&graph, Ordering::Sequence);
        world.materialize("a", PartitionSet::single(0));
        assert_eq!(world.next_requests(), expected, "{condition}");
    }
}

#[test]
fn failed_checks_trigger_their_asset() {
    let check = |name: &str, blocking| CheckSpec {
        blocking,
        ..CheckSpec::new(CheckKey {
            asset: asset_key("up"),
            name: name.parse().unwrap(),
        })
    };
    let failed = Condition::any_checks_match(Condition::check_failed());
    let up = OpSpec {
        checks: vec![check("strict", true), check("loose", false)],
        ..OpSpec::single(asset_spec("up", &[], Some(failed.clone())))
    };
    let watching = asset_spec(
        "watching",
        &["up"],
        Some(Condition::any_deps_match(failed.blocking_only())),
    );
    let graph = AssetGraph::new(vec![up, OpSpec::single(watching)], vec![]).unwrap();
    let mut world = World::new(&graph, Ordering::Sequence);
    world
        .snapshot
        .check_facts_mut(&check("loose", false).key)
        .failed = PartitionSet::single(0);
    assert_eq!(world.next_requests(), whole_assets(&["up"]));
    world
        .snapshot
        .check_facts_mut(&check("strict", true).key)
        .failed = PartitionSet::single(0);
    assert_eq!(world.next_requests(), whole_assets(&["up", "watching"]));
}

#[test]
fn updates_of_a_run_that_also_materializes_the_target_do_not_count() {
    let graph = graph_of([
        asset_spec("up", &[], None),
        asset_spec("down", &["up"], Some(Condition::any_deps_updated())),
    ]);
    let mut world = World::new(&graph, Ordering::Sequence);
    let up = world.asset_id("up");
    for (assets, expected) in [
        (vec!["up"], whole_assets(&["down"])),
        (vec!["up", "down"], whole_assets(&[])),
    ] {
        let keys = assets.into_iter().map(asset_key).collect();
        let run = world.snapshot.add_run(RunFacts {
            assets: keys,
            ..RunFacts::default()
        });
        world.sequence += 1;
        let update = Update::new(world.sequence, world.now, PartitionSet::single(0));
        world.snapshot.record_update(
            up,
            Update {
                run: Some(run),
                ..update
            },
        );
        assert_eq!(world.next_requests(), expected);
    }
}

#[test]
fn run_tags_are_asked_of_new_updates_and_of_the_latest() {
    let nightly = || RunTags::value("by", "nightly");
    let graph = graph_of([
        asset_spec("up", &[], None),
        asset_spec(
            "any",
            &["up"],
            Some(Condition::any_deps_match(
                Condition::any_new_update_has_run_tags(nightly()),
            )),
        ),
        asset_spec(
            "all",
            &["up"],
            Some(Condition::any_deps_match(
                Condition::all_new_updates_have_run_tags(nightly()),
            )),
        ),
        asset_spec(
            "latest",
            &["up"],
            Some(Condition::any_deps_match(Condition::executed_with_tags(
                nightly(),
            ))),
        ),
    ]);
    let mut world = World::new(&graph, Ordering::Sequence);
    let up = world.asset_id("up");
    let tags = [("by".to_owned(), "nightly".to_owned())].into();
    let run = world.snapshot.add_run(RunFacts {
        tags,
        ..RunFacts::default()
    });
    let update = Update::new(1, world.now, PartitionSet::single(0));
    world.snapshot.record_update(
        up,
        Update {
            run: Some(run),
            ..update.clone()
        },
    );
    assert_eq!(
        world.next_requests(),
        whole_assets(&["all", "any", "latest"])
    );
    world.snapshot.record_update(
        up,
        Update {
            sequence: 2,
            run: Some(run),
            ..update.clone()
        },
    );
    world.snapshot.record_update(
        up,
        Update {
            sequence: 3,
            ..update
        },
    );
    assert_eq!(world.next_requests(), whole_assets(&["any"]));
}

#[test]
fn a_downstream_condition_can_apply_upstream() {
    let graph = graph_of([
        asset_spec("up", &[], Some(Condition::any_downstream_conditions())),
        asset_spec(
            "down",
            &["up"],
            Some(Condition::on_cron("0 * * * *", "UTC")),
        ),
    ]);
    let mut world = World::new(&graph, Ordering::Sequence);
    world.advance_clock(TimeDelta::hours(1));
    assert_eq!(world.next_requests(), whole_assets(&["down", "up"]));
}

#[test]
fn a_lookback_covers_the_windows_that_start_in_it() {
    let latest = |hours| {
        let mut spec = asset_spec(
            "a",
            &[],
            Some(Condition::in_latest_time_windows(TimeDelta::hours(hours))),
        );
        spec.partitions = Some(daily_partitions("2024-06-01"));
        let graph = graph_of([spec]);
        World::new(&graph, Ordering::Sequence).next_requests()["a"].clone()
    };
    assert_eq!(latest(48), [7, 8]);
    assert_eq!(latest(47), [8]);
    assert_eq!(latest(10_000), (0..9).collect::<Vec<_>>());
}

#[test]
fn a_cursor_of_another_definition_is_ignored() {
    let missing = || Condition::missing().newly_true() & !Condition::initial_evaluation();
    let with_start = |start: &str| {
        let mut spec = asset_spec("a", &[], Some(missing()));
        spec.partitions = Some(daily_partitions(start));
        graph_of([spec])
    };
    let before = with_start("2024-06-01");
    let mut world = World::new(&before, Ordering::Sequence);
    assert_eq!(world.next_requests(), BTreeMap::new());

    let after = with_start("2024-06-03");
    let mut moved = World::new(&after, Ordering::Sequence);
    moved.cursor = world.cursor.clone();
    assert_eq!(
        moved.next_requests(),
        BTreeMap::new(),
        "this is an initial evaluation again"
    );

    let mut same = World::new(&before, Ordering::Sequence);
    same.cursor = world.cursor;
    same.advance_clock(TimeDelta::days(1));
    assert_eq!(
        same.next_requests()["a"],
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
fn parts_can_be_removed_from_three_or_more() {
    let eager = Condition::eager();
    let anytime = eager.without(&Condition::in_latest_time_window()).unwrap();
    assert_eq!(anytime.children().len(), 4);
    let refusal = (Condition::missing() & Condition::newly_updated())
        .without(&Condition::missing())
        .unwrap_err();
    insta::assert_snapshot!(refusal, @"`missing` cannot be removed from `missing & newly_updated`: it must be one of three or more parts joined with `&` there");
}
