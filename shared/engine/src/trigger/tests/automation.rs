use futures::future::join_all;

use super::world::World;
use crate::{
    automation::{evaluate_automation, trigger},
    state::{TickOutcome, TriggerStore},
    trigger::run_automation,
};

#[tokio::test]
async fn what_a_condition_asks_for_is_requested_once_with_its_reason() {
    let world = World::new();
    run_automation(&world.ports).await.unwrap();
    assert_eq!(world.requested().await, [""; 0]);
    world
        .make("orders", "2024-11-30", "2024-12-01T11:00:00Z")
        .await;
    join_all((0..4).map(|_| run_automation(&world.ports))).await;
    assert_eq!(world.requested().await, ["key:\"eager\" 2024-11-30"]);
    let (run, _) = &world.runs().await[0];
    assert_eq!(run.request.tags["precip/automation"], "conditions");
    let mut page = crate::state::PageRequest::first(20);
    page.after = None;
    let ticks = world.memory.ticks(&trigger(), &page).await.unwrap();
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
        precip_core::partitions::PartitionContext::at(super::world::at("2024-12-01T12:00:01Z"));
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

/// dagster-io/dagster#33587: an update lands beside the target's own materialization. It is lost in
/// neither order.
#[tokio::test]
async fn an_update_beside_the_targets_own_materialization_is_not_lost() {
    for update_first in [true, false] {
        let world = World::new();
        run_automation(&world.ports).await.unwrap();
        world
            .make("orders", "2024-11-30", "2024-12-01T11:00:00Z")
            .await;
        run_automation(&world.ports).await.unwrap();
        if update_first {
            world
                .make("orders", "2024-11-30", "2024-12-01T11:10:00Z")
                .await;
        }
        world
            .make("eager", "2024-11-30", "2024-12-01T11:05:00Z")
            .await;
        if !update_first {
            world
                .make("orders", "2024-11-30", "2024-12-01T11:10:00Z")
                .await;
        }
        run_automation(&world.ports).await.unwrap();
        let requested = world.requested().await.len();
        // In the first order the target's own run may have read the update: by the sequence of the
        // record it did not, as it ended after it and began before.
        assert_eq!(requested, 2, "update first: {update_first}");
    }
}
