//! Commands that look at what is declared and stored.

use insta::assert_snapshot;

use crate::world::{World, stable};

#[tokio::test(flavor = "multi_thread")]
async fn a_project_that_has_made_nothing() {
    let _stable = stable();
    let world = World::new().await;
    assert_snapshot!("assets_before", world.prints("assets", &[]).await);
    assert_snapshot!("plan", world.prints("plan", &[]).await);
    assert_snapshot!("doctor", world.prints("doctor", &[]).await);
    assert_snapshot!("describe", world.prints("describe", &[]).await);
    assert_snapshot!("dynamic", world.prints("dynamic", &["files"]).await);
    assert_snapshot!(
        "graph_mermaid",
        world.prints("graph", &["--format", "mermaid"]).await
    );
    assert_snapshot!(
        "graph_dot",
        world.prints("graph", &["--format", "dot"]).await
    );
    assert_eq!(world.prints("runs", &[]).await.lines().count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_that_has_run() {
    let _stable = stable();
    let world = World::new().await;
    world
        .materialize(&[
            "--partitions",
            "2024-01-01...2024-01-02",
            "--select",
            "+key:totals",
        ])
        .await
        .unwrap();
    assert_snapshot!("assets", world.prints("assets", &[]).await);
    assert_snapshot!("asset", world.prints("asset", &["totals"]).await);
    let one = ["totals", "--partition", "2024-01-02"];
    assert_snapshot!("asset_partition", world.prints("asset", &one).await);
    assert_snapshot!("partitions", world.prints("partitions", &["totals"]).await);
    assert_eq!(
        world
            .prints("partitions", &["totals", "--status", "missing"])
            .await,
        "PARTITION   STATUS\n2024-01-03  missing\n2024-01-04  missing\n"
    );
    assert_snapshot!("checks", world.prints("checks", &["totals"]).await);
    let show = ["totals", "--partition", "2024-01-02"];
    assert_snapshot!("show", world.prints("show", &show).await);
    let csv = [&show[..], &["--format", "csv"]].concat();
    assert_eq!(
        world.prints("show", &csv).await,
        "city,trips\nNew York,1\nNewark,2\n"
    );
    let json = [&show[..], &["--format", "json", "--limit", "1"]].concat();
    let rows: serde_json::Value = serde_json::from_str(&world.prints("show", &json).await).unwrap();
    assert_eq!(
        rows,
        serde_json::json!([{ "city": "New York", "trips": 1 }])
    );
    let svg = world.prints("graph", &[]).await;
    assert!(
        svg.contains("2 of 4") && svg.trim_end().ends_with("</svg>"),
        "{svg}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn machines_get_json() {
    let _stable = stable();
    let world = World::new().await.json();
    assert_snapshot!("assets_json", world.prints("assets", &[]).await);
    assert_snapshot!("asset_json", world.prints("asset", &["totals"]).await);
    for (command, arguments) in [
        ("partitions", &["trips"][..]),
        ("asset", &["totals", "--partition", "2024-01-01"]),
        ("plan", &[]),
        ("runs", &[]),
        ("checks", &["totals", "--partition", "2024-01-01"]),
        ("dynamic", &["files"]),
        ("automation", &[]),
        ("doctor", &[]),
        ("describe", &[]),
        ("describe", &["--schema"]),
    ] {
        let answer = world.prints(command, arguments).await;
        let read = serde_json::from_str::<serde_json::Value>(&answer);
        assert!(read.is_ok(), "{command} prints no JSON: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manifest_names_settings_and_no_values() {
    let world = World::new().await.json();
    let text = world.prints("describe", &[]).await;
    let manifest = precip_core::manifest::Manifest::from_json(&text).unwrap();
    assert!(manifest.to_graph().unwrap() == *world.session.definitions.graph());
    let settings = &manifest.environments[1].resources[0].settings;
    let told: Vec<_> = settings
        .iter()
        .map(|s| (s.name.as_str(), s.optional, s.secret))
        .collect();
    assert_eq!(
        told,
        [("FARES_HOST", false, false), ("trips/token", true, true)]
    );
}
