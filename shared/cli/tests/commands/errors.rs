//! Failures and their advice.

use insta::assert_snapshot;
use precip::prelude::*;
use serde::Deserialize;

use crate::world::{World, stable_snapshots};

#[tokio::test(flavor = "multi_thread")]
async fn mistakes_are_explained() {
    let _stable = stable_snapshots();
    let world = World::new().await;
    let mut shown = String::new();
    for (command, arguments) in [
        ("asset", &["total"][..]),
        ("assets", &["--select", "group:raw and ("]),
        ("assets", &["--select", "tottals"]),
        ("plan", &["--select", "tag:a and ("]),
        ("plan", &["--select", "kind:csv"]),
        ("plan", &["--select", "trips", "--partitions", "2024-02-01"]),
        ("materialize", &["--select", "cities", "--tag", "x"]),
        ("materialize", &["--select", "trips", "--config-json", "{"]),
        ("partitions", &["tripz"]),
        ("run", &["latest"]),
        ("show", &["totals"]),
        ("show", &["totals", "--partition", "2024-01-01"]),
        ("show", &["cities", "--partition", "2024-01-01"]),
        ("checks", &["totals", "--partition", "2023-01-01"]),
        ("dynamic", &["filez"]),
    ] {
        let refused = world.failure_of(command, arguments).await;
        shown += &format!("$ {command} {}\n{refused}\n", arguments.join(" "));
    }
    assert_snapshot!("errors", shown);
}

#[derive(Debug, Deserialize)]
struct Limits {
    #[serde(default)]
    limit: i64,
}

#[asset]
fn limited(#[config] limits: Limits) -> i64 {
    limits.limit
}

#[tokio::test(flavor = "multi_thread")]
async fn a_misspelt_field_of_the_config_is_refused_by_every_command_that_plans() {
    let definitions = Definitions::builder().asset::<limited>().build().unwrap();
    let world = World::with_definitions(definitions).await;
    let misspelt = r#"{"limited": {"limt": 5}}"#;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&file, misspelt).unwrap();
    let path = file.path().to_str().unwrap();
    for command in ["plan", "materialize"] {
        for config in [["--config-json", misspelt], ["--config", path]] {
            let arguments = ["--select", "limited", config[0], config[1]];
            let refused = world.failure_of(command, &arguments).await;
            assert!(refused.contains("config `limt`"), "{refused}");
            assert!(refused.contains("did you mean `limit`?"), "{refused}");
        }
    }
    std::fs::write(&file, r#"{"limited": {"limit": 5}, "limited": {}}"#).unwrap();
    let arguments = ["--select", "limited", "--config", path];
    let refused = world.failure_of("materialize", &arguments).await;
    assert!(
        refused.contains("field `limited` is given twice"),
        "{refused}"
    );
    let runs = world.output_of("runs", &[]).await;
    assert!(!runs.contains("limited"), "{runs}");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_printed_as_they_are_typed() {
    let mut world = World::new().await;
    let odd = "x,y...z it's.csv";
    let store = std::sync::Arc::clone(&world.session.store);
    store
        .add_dynamic_keys("files", &[odd.into()])
        .await
        .unwrap();
    let keys = store.dynamic_keys("files").await.unwrap();
    world
        .session
        .context
        .dynamic
        .insert("files".to_owned(), keys);
    let typed = format!("\"{odd}\"");
    let select = ["--select", "uploads", "--partitions"];
    // A list of keys, and the command that adds one.
    let refused = world
        .failure_of("plan", &[&select[..], &["new one.csv"]].concat())
        .await;
    assert!(
        refused.contains(&format!("`b.csv` and `{typed}`")),
        "{refused}"
    );
    assert!(
        refused.contains("`dynamic files add 'new one.csv'` adds it"),
        "{refused}"
    );
    // What was printed can be pasted, into a list and as one key.
    let planned = world
        .output_of("plan", &[&select[..], &[&typed]].concat())
        .await;
    assert!(planned.contains(&typed), "{planned}");
    for argument in [odd, &typed] {
        let refused = world
            .failure_of("show", &["uploads", "--partition", argument])
            .await;
        assert!(refused.contains("is not materialized"), "{refused}");
    }
    let refused = world.failure_of("show", &["uploads"]).await;
    assert!(
        refused.contains(r"add `--partition 'x,y...z it'\''s.csv'`"),
        "{refused}"
    );
}

#[test]
fn a_closed_pipe_is_no_failure() {
    let closed = std::io::Error::from(std::io::ErrorKind::BrokenPipe);
    let failure = precip_cli::testing::Failure::from(closed);
    assert_eq!(failure.exit, precip_cli::testing::Exit::Done);
    // Any other error of the output is one.
    let full = std::io::Error::from(std::io::ErrorKind::StorageFull);
    let failure = precip_cli::testing::Failure::from(full);
    assert_eq!(failure.exit, precip_cli::testing::Exit::Environment);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tag_with_two_values_is_refused() {
    let world = World::new().await;
    let twice = |value| ["--select", "cities", "--tag", "a=1", "--tag", value];
    assert_eq!(
        world.failure_of("materialize", &twice("a=2")).await,
        "exit 2\nerror: tag `a` is given twice\nhelp: keep one of the two\n"
    );
    world.materialize(&twice("a=1")).await.unwrap();
}
