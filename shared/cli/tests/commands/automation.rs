//! `automation`.

use insta::assert_snapshot;

use crate::world::{World, stable};

#[tokio::test(flavor = "multi_thread")]
async fn conditions_are_explained() {
    let _stable = stable();
    let world = World::new().await;
    assert_snapshot!("automation", world.prints("automation", &[]).await);
    let days = ["--select", "trips", "--partitions", "2024-01-04"];
    world.materialize(&days).await.unwrap();
    assert_snapshot!(
        "automation_explain",
        world.prints("automation", &["explain", "totals"]).await
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_asset_without_a_condition_is_explained_too() {
    let world = World::new().await;
    assert_eq!(
        world.refuses("automation", &["explain", "trips"]).await,
        "exit 2\n\
         error: asset `trips` has no automation condition: it is made only when asked for\n\
         help: these have one: `totals`\n"
    );
}
