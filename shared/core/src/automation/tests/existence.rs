//! Partitions whose upstream partitions do not exist: they wait, and are requested when they exist.

use super::*;
use crate::{
    mapping::PartitionMapping,
    partitions::{DynamicPartitions, MultiPartitions, StaticPartitions, TimeWindowBuilder},
};

use AutomationCondition as Condition;

fn windows(builder: TimeWindowBuilder) -> Arc<PartitionsDefinition> {
    Arc::new(builder.build().unwrap().into())
}

/// `up`, and `down` with a condition and a mapping.
fn graph_with(
    up: &Arc<PartitionsDefinition>,
    down: &Arc<PartitionsDefinition>,
    mapping: Option<PartitionMapping>,
    condition: &Condition,
) -> AssetGraph {
    let mut upstream = asset_spec("up", &[], None);
    upstream.partitions = Some(Arc::clone(up));
    let mut downstream = asset_spec("down", &["up"], Some(condition.clone()));
    downstream.partitions = Some(Arc::clone(down));
    downstream.deps[0].mapping = mapping;
    graph_of([upstream, downstream])
}

/// Evaluates a tick at a time and returns the requested keys of `down`.
fn requested_at(world: &mut World<'_>, at: &str) -> Vec<String> {
    world.now = at.parse::<DateTime<Utc>>().unwrap() - TimeDelta::seconds(1);
    let evaluation = world.evaluate_next_tick();
    let down = world.asset_id("down");
    let definition = world.graph.partitions(down).unwrap();
    let context = world.context();
    match evaluation.requested.get("down") {
        None => Vec::new(),
        Some(set) => definition
            .keys(set, &context)
            .map(|k| k.to_string())
            .collect(),
    }
}

/// Materializes what exists of `up`.
fn materialize_all_upstream(world: &mut World<'_>) {
    let up = world.asset_id("up");
    let all = world.graph.partitions(up).unwrap().all(&world.context());
    world.sequence += 1;
    let update = Update::new(world.sequence, world.now, all);
    world.snapshot.record_update(up, update);
}

/// Materializes a partition of `down`.
fn materialize_down(world: &mut World<'_>, ordinal: u64) {
    world.materialize("down", PartitionSet::single(ordinal));
}

const NONE: [&str; 0] = [];

#[test]
fn a_window_of_a_late_upstream_waits_and_is_requested_when_it_exists() {
    let late = windows(TimeWindowPartitions::hourly("2024-06-09-00:00").end_offset(-2));
    let hours = windows(TimeWindowPartitions::hourly("2024-06-09-00:00"));
    for condition in [
        Condition::eager(),
        Condition::on_missing(),
        // Without the part that waits for missing partitions.
        Condition::eager()
            .without(&!Condition::any_deps_missing())
            .unwrap(),
    ] {
        let graph = graph_with(&late, &hours, None, &condition);
        let mut world = World::new(&graph, Ordering::Sequence);
        materialize_all_upstream(&mut world);
        let requested = |world: &mut World<'_>, at: &str| {
            let keys = requested_at(world, at);
            materialize_all_upstream(world);
            keys
        };
        requested(&mut world, "2024-06-10T00:30:00Z");
        for at in ["2024-06-10T01:00:05Z", "2024-06-10T02:00:05Z"] {
            let keys = requested(&mut world, at);
            assert!(
                !keys.contains(&"2024-06-10-01:00".to_owned()),
                "{condition}: {keys:?}"
            );
        }
        // 00:00 exists upstream at three: until then it waits, although later hours exist.
        let keys = requested(&mut world, "2024-06-10T02:59:00Z");
        assert!(
            !keys.contains(&"2024-06-10-00:00".to_owned()),
            "{condition}: {keys:?}"
        );
        materialize_down(&mut world, 23);
        requested(&mut world, "2024-06-10T03:00:05Z");
        let keys = requested(&mut world, "2024-06-10T03:00:10Z");
        let again = requested(&mut world, "2024-06-10T03:00:15Z");
        let both = [keys, again].concat();
        assert!(
            both.iter().all(|key| key == "2024-06-10-00:00"),
            "{condition}: {both:?}"
        );
        assert!(!both.is_empty(), "{condition}");
        materialize_down(&mut world, 24);
        requested(&mut world, "2024-06-10T04:00:05Z");
        let keys = requested(&mut world, "2024-06-10T04:00:10Z");
        assert!(
            keys.iter().all(|key| key == "2024-06-10-01:00"),
            "{condition}: {keys:?}"
        );
    }
}

#[test]
fn a_day_waits_for_its_last_hours() {
    let late = windows(TimeWindowPartitions::hourly("2024-06-08-00:00").end_offset(-2));
    let days = windows(TimeWindowPartitions::daily("2024-06-08"));
    let graph = graph_with(&late, &days, None, &Condition::eager());
    let mut world = World::new(&graph, Ordering::Sequence);
    // The day before waited since the first tick.
    world.now = "2024-06-10T02:00:00Z".parse().unwrap();
    materialize_all_upstream(&mut world);
    assert_eq!(
        requested_at(&mut world, "2024-06-10T02:00:05Z"),
        ["2024-06-09"]
    );
    materialize_down(&mut world, 1);
    for at in ["2024-06-11T00:00:05Z", "2024-06-11T01:59:00Z"] {
        assert_eq!(requested_at(&mut world, at), NONE, "{at}");
    }
    let due = world.conditions.next_change(&world.context());
    assert_eq!(due, Some("2024-06-11T02:00:00Z".parse().unwrap()));
    world.now = "2024-06-11T02:00:01Z".parse().unwrap();
    materialize_all_upstream(&mut world);
    assert_eq!(
        requested_at(&mut world, "2024-06-11T02:00:05Z"),
        ["2024-06-10"]
    );
    assert_eq!(requested_at(&mut world, "2024-06-11T02:00:10Z"), NONE);
}

#[test]
fn every_window_that_waited_is_requested() {
    // A week is the upstream of its days: they wait until it has ended.
    let weeks = windows(TimeWindowPartitions::weekly("2024-06-02"));
    let days = windows(TimeWindowPartitions::daily("2024-06-02"));
    let graph = graph_with(&weeks, &days, None, &Condition::eager());
    let mut world = World::new(&graph, Ordering::Sequence);
    for day in 11..16 {
        let at = format!("2024-06-{day}T00:00:05Z");
        assert_eq!(requested_at(&mut world, &at), NONE);
    }
    world.now = "2024-06-16T00:00:10Z".parse().unwrap();
    assert_eq!(requested_at(&mut world, "2024-06-16T00:00:15Z"), NONE);
    materialize_all_upstream(&mut world);
    assert_eq!(
        requested_at(&mut world, "2024-06-16T00:01:00Z"),
        [
            "2024-06-09",
            "2024-06-10",
            "2024-06-11",
            "2024-06-12",
            "2024-06-13",
            "2024-06-14",
            "2024-06-15"
        ]
    );
    assert_eq!(requested_at(&mut world, "2024-06-16T00:02:00Z"), NONE);
}

#[test]
fn a_shifted_mapping_waits_for_the_window_that_is_to_come() {
    let hours = windows(TimeWindowPartitions::hourly("2024-06-09-00:00"));
    let shifted = |start_offset, allow| {
        Some(PartitionMapping::TimeWindow {
            start_offset,
            end_offset: 1,
            allow_nonexistent_upstream_partitions: allow,
        })
    };
    for start_offset in [0, 1] {
        let graph = graph_with(
            &hours,
            &hours,
            shifted(start_offset, false),
            &Condition::eager(),
        );
        let mut world = World::new(&graph, Ordering::Sequence);
        materialize_all_upstream(&mut world);
        assert_eq!(requested_at(&mut world, "2024-06-10T00:30:00Z"), NONE);
        assert_eq!(requested_at(&mut world, "2024-06-10T01:00:05Z"), NONE);
        // 23:00 waited since the first tick.
        materialize_all_upstream(&mut world);
        assert_eq!(
            requested_at(&mut world, "2024-06-10T01:30:00Z"),
            ["2024-06-09-23:00"]
        );
        materialize_down(&mut world, 23);
        assert_eq!(requested_at(&mut world, "2024-06-10T01:31:00Z"), NONE);
        // 00:00 needs 01:00, which exists at two.
        assert_eq!(requested_at(&mut world, "2024-06-10T02:00:05Z"), NONE);
        materialize_all_upstream(&mut world);
        assert_eq!(
            requested_at(&mut world, "2024-06-10T02:00:10Z"),
            ["2024-06-10-00:00"]
        );
        assert_eq!(requested_at(&mut world, "2024-06-10T02:00:15Z"), NONE);
    }
    // Windows that are allowed to lack are not waited for.
    let graph = graph_with(&hours, &hours, shifted(0, true), &Condition::eager());
    let mut world = World::new(&graph, Ordering::Sequence);
    world.now = "2024-06-10T01:00:05Z".parse().unwrap();
    materialize_all_upstream(&mut world);
    assert_eq!(
        requested_at(&mut world, "2024-06-10T01:00:10Z"),
        ["2024-06-10-00:00"]
    );
}

#[test]
fn a_key_that_upstream_lacks_is_waited_for() {
    let keys = |name: &str| Arc::new(PartitionsDefinition::from(DynamicPartitions::new(name)));
    let graph = graph_with(
        &keys("theirs"),
        &keys("ours"),
        Some(PartitionMapping::Identity),
        &Condition::eager(),
    );
    let conditions = Conditions::new(&graph, Ordering::Sequence).unwrap();
    let mut snapshot = Snapshot::new(&graph);
    let mut context = PartitionContext::at("2024-06-10T00:00:00Z".parse().unwrap());
    let mut cursor = AutomationCursor::default();
    let mut requested = |snapshot: &Snapshot, context: &mut PartitionContext| {
        context.now += TimeDelta::seconds(1);
        let tick = conditions
            .evaluate_tick(snapshot, &cursor, context)
            .unwrap();
        cursor = tick.cursor;
        tick.requested.contains_key("down")
    };
    requested(&snapshot, &mut context);
    context
        .dynamic
        .insert("ours".to_owned(), ["a".into()].into_iter().collect());
    assert!(!requested(&snapshot, &mut context));
    context
        .dynamic
        .insert("theirs".to_owned(), ["a".into()].into_iter().collect());
    assert!(!requested(&snapshot, &mut context), "it is missing");
    let up = graph.id(&asset_key("up")).unwrap();
    snapshot.record_update(up, Update::new(1, context.now, PartitionSet::single(0)));
    assert!(requested(&snapshot, &mut context));
    assert!(!requested(&snapshot, &mut context));
}

#[test]
fn a_window_of_several_dimensions_waits() {
    let kinds = || PartitionsDefinition::from(StaticPartitions::new(["a", "b"]).unwrap());
    let of_days = |builder: TimeWindowBuilder| {
        let days = PartitionsDefinition::from(builder.build().unwrap());
        Arc::new(PartitionsDefinition::from(
            MultiPartitions::new([("day", days), ("kind", kinds())]).unwrap(),
        ))
    };
    let late = windows(TimeWindowPartitions::daily("2024-06-08").end_offset(-1));
    let grid = of_days(TimeWindowPartitions::daily("2024-06-08"));
    let graph = graph_with(&late, &grid, None, &Condition::eager());
    let mut world = World::new(&graph, Ordering::Sequence);
    materialize_all_upstream(&mut world);
    assert_eq!(requested_at(&mut world, "2024-06-11T00:00:05Z"), NONE);
    materialize_all_upstream(&mut world);
    let early = requested_at(&mut world, "2024-06-11T00:00:10Z");
    assert!(
        early.iter().all(|key| key.starts_with("2024-06-09")),
        "{early:?}"
    );
    let down = world.asset_id("down");
    let all = world.graph.partitions(down).unwrap().all(&world.context());
    world.materialize("down", &all - &PartitionSet::from(4..6));
    requested_at(&mut world, "2024-06-12T00:00:05Z");
    materialize_all_upstream(&mut world);
    assert_eq!(
        requested_at(&mut world, "2024-06-12T00:00:10Z"),
        ["2024-06-10|a", "2024-06-10|b"]
    );
}

#[test]
fn an_explanation_says_what_is_held_back() {
    let late = windows(TimeWindowPartitions::daily("2024-06-08").end_offset(-1));
    let days = windows(TimeWindowPartitions::daily("2024-06-08"));
    let graph = graph_with(&late, &days, None, &Condition::missing());
    let mut world = World::new(&graph, Ordering::Sequence);
    let evaluation = world.evaluate_next_tick();
    assert_eq!(evaluation.requested["down"], PartitionSet::single(0));
    let why = evaluation.explanations["down"].render_tree(&graph, &world.context());
    assert!(
        why.contains("+ all_upstream_partitions_exist: 1 of 2 (2024-06-08)"),
        "{why}"
    );
}
