use futures::future::join_all;

use precip_core::partitions::PartitionContext;

use super::world::{World, utc};
use crate::{
    automation::{StoredCursor, automation_trigger, evaluate_automation},
    state::{Advance, Advanced, TickOutcome, TickRequest, TriggerStore},
    trigger::run_automation,
};

#[tokio::test]
async fn what_a_condition_asks_for_is_requested_once_with_its_reason() {
    let world = World::new();
    run_automation(&world.ports).await.unwrap();
    assert_eq!(world.requested_lines().await, [""; 0]);
    world
        .materialize_at("orders", "2024-11-30", "2024-12-01T11:00:00Z")
        .await;
    join_all((0..4).map(|_| run_automation(&world.ports))).await;
    assert_eq!(world.requested_lines().await, ["key:\"eager\" 2024-11-30"]);
    let (run, _) = &world.recorded_runs().await[0];
    assert_eq!(run.request.tags["precip/automation"], "conditions");
    let mut page = crate::state::PageRequest::first(20);
    page.after = None;
    let ticks = world
        .memory
        .list_ticks(&automation_trigger(), &page)
        .await
        .unwrap();
    let asked = ticks
        .items
        .iter()
        .find(|tick| matches!(tick.outcome, TickOutcome::Requested(_)))
        .unwrap();
    let note = asked.note.as_deref().unwrap();
    assert!(note.starts_with("eager\n"), "{note}");
}

#[tokio::test]
async fn the_cursor_on_record_is_what_the_next_evaluation_reads() {
    let world = World::new();
    run_automation(&world.ports).await.unwrap();
    let context =
        precip_core::partitions::PartitionContext::at(super::world::utc("2024-12-01T12:00:01Z"));
    let tick = evaluate_automation(&world.ports.definitions, &world.ports.state, &context)
        .await
        .unwrap();
    assert_eq!(tick.revision, 1);
    assert!(
        tick.before
            .evaluated_at(&"eager".parse().unwrap())
            .is_some()
    );
}

/// Requests that did not fit into one tick, with a deployment before the next.
#[tokio::test]
async fn pending_requests_are_found_by_key_after_a_deployment() {
    for (start, expected) in [
        ("2024-01-01", vec!["key:\"eager\" 2024-11-29,2024-11-30"]),
        ("2023-06-01", vec!["key:\"eager\" 2024-11-29,2024-11-30"]),
        // A day that is gone is dropped.
        ("2024-11-30", vec!["key:\"eager\" 2024-11-30"]),
        ("2024-12-01", vec![]),
    ] {
        let mut world = World::new();
        run_automation(&world.ports).await.unwrap();
        let state = world
            .memory
            .trigger_state(&automation_trigger())
            .await
            .unwrap();
        let graph = world.ports.definitions.graph();
        let eager = graph.id(&"eager".parse().unwrap()).unwrap();
        let context = PartitionContext::at(utc("2024-12-01T12:00:00Z"));
        let ordinal = |day: &str| {
            graph
                .partitions(eager)
                .unwrap()
                .find(day, &context)
                .unwrap()
        };
        let mut stored = StoredCursor::of_trigger(&state).unwrap();
        let days = ["2024-11-29", "2024-11-30"].map(ordinal);
        let group = [graph.key(eager).clone()].into();
        stored.pending = vec![(group, days.into_iter().collect())];
        stored.basis.add_partitions(graph, graph.key(eager));
        let advance = Advance {
            revision: state.revision,
            cursor: Some(serde_json::to_string(&stored).unwrap()),
            at: context.now,
            scheduled_for: None,
            request: TickRequest::Skip { reason: None },
            note: None,
        };
        let advanced = world
            .memory
            .advance_trigger(&automation_trigger(), advance)
            .await;
        assert!(matches!(advanced.unwrap(), Advanced::Done { .. }));
        world.deploy_days_from(start).await;
        run_automation(&world.ports).await.unwrap();
        let requested = world.requested_lines().await;
        assert_eq!(requested, expected, "{start}");
        let state = world.memory.trigger_state(&automation_trigger()).await;
        let stored = StoredCursor::of_trigger(&state.unwrap()).unwrap();
        assert_eq!(stored.pending, []);
        assert!(stored.basis.is_unknown(), "nothing needs it any more");
    }
}

/// dagster-io/dagster#33587: an upstream update and the target's own materialization arrive together.
/// The update is lost in neither order.
#[tokio::test]
async fn an_update_next_to_the_targets_own_materialization_is_not_lost() {
    for update_first in [true, false] {
        let world = World::new();
        run_automation(&world.ports).await.unwrap();
        world
            .materialize_at("orders", "2024-11-30", "2024-12-01T11:00:00Z")
            .await;
        run_automation(&world.ports).await.unwrap();
        if update_first {
            world
                .materialize_at("orders", "2024-11-30", "2024-12-01T11:10:00Z")
                .await;
        }
        world
            .materialize_at("eager", "2024-11-30", "2024-12-01T11:05:00Z")
            .await;
        if !update_first {
            world
                .materialize_at("orders", "2024-11-30", "2024-12-01T11:10:00Z")
                .await;
        }
        run_automation(&world.ports).await.unwrap();
        let requested = world.requested_lines().await.len();
        // In the first order the target's own run may have read the update. Since it ended after the
        // update and started before it, the recorded sequence counts it as not read.
        assert_eq!(requested, 2, "update first: {update_first}");
    }
}
