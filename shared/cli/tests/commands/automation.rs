//! `automation` and `automation explain`.

use insta::assert_snapshot;

use crate::world::{World, stable_snapshots};

#[tokio::test(flavor = "multi_thread")]
async fn conditions_are_explained() {
    let _stable = stable_snapshots();
    let world = World::new().await;
    assert_snapshot!("automation", world.output_of("automation", &[]).await);
    let days = ["--select", "trips", "--partitions", "2024-01-04"];
    world.materialize(&days).await.unwrap();
    assert_snapshot!(
        "automation_explain",
        world.output_of("automation", &["explain", "totals"]).await
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_asset_without_a_condition_is_explained_too() {
    let world = World::new().await;
    assert_eq!(
        world.failure_of("automation", &["explain", "trips"]).await,
        "exit 2\n\
         error: asset `trips` has no automation condition: only requests materialize it\n\
         help: assets with a condition: `totals`\n"
    );
}
