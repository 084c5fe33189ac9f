//! Commands that show definitions and stored data.

use insta::assert_snapshot;

use crate::world::{World, stable_snapshots};

#[tokio::test(flavor = "multi_thread")]
async fn a_project_that_has_materialized_nothing() {
    let _stable = stable_snapshots();
    let world = World::new().await;
    assert_snapshot!("assets_before", world.output_of("assets", &[]).await);
    assert_snapshot!("plan", world.output_of("plan", &[]).await);
    assert_snapshot!("doctor", world.output_of("doctor", &[]).await);
    assert_snapshot!("describe", world.output_of("describe", &[]).await);
    assert_snapshot!("dynamic", world.output_of("dynamic", &["files"]).await);
    assert_snapshot!(
        "graph_mermaid",
        world.output_of("graph", &["--format", "mermaid"]).await
    );
    assert_snapshot!(
        "graph_dot",
        world.output_of("graph", &["--format", "dot"]).await
    );
    assert_eq!(world.output_of("runs", &[]).await.lines().count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_that_has_run() {
    let _stable = stable_snapshots();
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
    assert_snapshot!("assets", world.output_of("assets", &[]).await);
    assert_snapshot!("asset", world.output_of("asset", &["totals"]).await);
    let one = ["totals", "--partition", "2024-01-02"];
    assert_snapshot!("asset_partition", world.output_of("asset", &one).await);
    assert_snapshot!(
        "partitions",
        world.output_of("partitions", &["totals"]).await
    );
    assert_eq!(
        world
            .output_of("partitions", &["totals", "--status", "missing"])
            .await,
        "PARTITION   STATUS\n2024-01-03  missing\n2024-01-04  missing\n"
    );
    assert_snapshot!("checks", world.output_of("checks", &["totals"]).await);
    // The three formats of the same rows.
    let show = ["totals", "--partition", "2024-01-02"];
    assert_snapshot!("show", world.output_of("show", &show).await);
    let csv = [&show[..], &["--format", "csv"]].concat();
    assert_eq!(
        world.output_of("show", &csv).await,
        "city,trips\nNew York,1\nNewark,2\n"
    );
    let json = [&show[..], &["--format", "json", "--limit", "1"]].concat();
    let rows: serde_json::Value =
        serde_json::from_str(&world.output_of("show", &json).await).unwrap();
    assert_eq!(
        rows,
        serde_json::json!([{ "city": "New York", "trips": 1 }])
    );
    let svg = world.output_of("graph", &[]).await;
    assert!(
        svg.contains("2 of 4") && svg.trim_end().ends_with("</svg>"),
        "{svg}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn machines_get_json() {
    let _stable = stable_snapshots();
    let world = World::new().await.with_json();
    assert_snapshot!("assets_json", world.output_of("assets", &[]).await);
    assert_snapshot!("asset_json", world.output_of("asset", &["totals"]).await);
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
        let answer = world.output_of(command, arguments).await;
        let read = serde_json::from_str::<serde_json::Value>(&answer);
        assert!(read.is_ok(), "{command} prints no JSON: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manifest_names_settings_and_no_values() {
    let world = World::new().await.with_json();
    let text = world.output_of("describe", &[]).await;
    let manifest = precip_core::manifest::Manifest::from_json(&text).unwrap();
    assert!(manifest.to_graph().unwrap() == *world.session.definitions.graph());
    let settings = &manifest.environments[1].resources[0].settings;
    let listed: Vec<_> = settings
        .iter()
        .map(|s| (s.name.as_str(), s.optional, s.secret))
        .collect();
    assert_eq!(
        listed,
        [("FARES_HOST", false, false), ("trips/token", true, true)]
    );
}
