//! Partitions that there is nothing to make for: `materialize`, `run`, `partitions`, `missing`, `retry`.

use precip::prelude::*;
use precip_cli::testing::Exit;
use serde_json::{Value, json};

use crate::world::{World, stable_snapshots};

static REGIONS: LazyPartitions = partitions!(static("north", "south", "east"));

/// Switches of the functions below.
#[derive(Debug)]
struct Switches {
    /// The southern feed has something.
    south_delivers: bool,
    /// The eastern feed is down.
    east_is_down: bool,
}

/// The deliveries of a region. The south has none at first.
#[asset(partitions = REGIONS)]
fn feed(
    context: &AssetContext,
    #[resource] switches: &Switches,
) -> Result<Option<String>, AssetError> {
    match context.partition_key()?.as_str() {
        "south" if !switches.south_delivers => Ok(None),
        "east" if switches.east_is_down => Err(AssetError::terminal("the feed is down")),
        other => Ok(Some(other.to_owned())),
    }
}

/// The feed has text. There is nothing to check where there is no feed.
#[asset_check(asset = feed, blocking)]
fn has_text(feed: String) -> CheckResult {
    CheckResult::passed_if(!feed.is_empty())
}

/// Needs the feed.
#[asset(partitions = REGIONS)]
fn loaded(feed: String) -> String {
    feed
}

/// Needs what needs the feed.
#[asset(partitions = REGIONS)]
fn summed(loaded: String) -> String {
    loaded
}

/// Takes what there is.
#[asset(partitions = REGIONS)]
fn listed(feed: Option<String>) -> String {
    feed.unwrap_or_else(|| "nothing".to_owned())
}

/// Takes a part of each region; none of the south.
#[multi_asset(partitions = REGIONS, outputs(kept, dropped))]
fn halves(context: &AssetContext) -> Result<(String, Option<String>), AssetError> {
    let key = context.partition_key()?.to_string();
    let dropped = (key != "south").then(|| key.clone());
    Ok((key, dropped))
}

/// Made from the output that is always there.
#[asset(partitions = REGIONS)]
fn of_kept(kept: String) -> String {
    kept
}

/// Made from the output that is not.
#[asset(partitions = REGIONS)]
fn of_dropped(dropped: String) -> String {
    dropped
}

/// Compares with the feed, which it is not made from.
#[asset_check(asset = listed)]
fn matches_feed(listed: String, feed: String) -> CheckResult {
    CheckResult::passed_if(listed == feed)
}

fn project(south_delivers: bool, east_is_down: bool) -> Definitions {
    Definitions::builder()
        .asset::<feed>()
        .check::<has_text>()
        .asset::<loaded>()
        .asset::<summed>()
        .asset::<listed>()
        .check::<matches_feed>()
        .asset::<halves>()
        .asset::<of_kept>()
        .asset::<of_dropped>()
        .environment(Environment::new("local").resource(
            "switches",
            Switches {
                south_delivers,
                east_is_down,
            },
        ))
        .build()
        .unwrap()
}

impl World {
    async fn json_of(&self, command: &str, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.output_of(command, arguments).await).unwrap()
    }

    /// Returns the keys of an asset's partitions with a status.
    async fn keys_with(&self, asset: &str, status: &str) -> Vec<String> {
        let listed = self
            .json_of("partitions", &[asset, "--status", status])
            .await;
        let keys = listed.as_array().unwrap().iter();
        keys.map(|row| row["partition"].as_str().unwrap().to_owned())
            .collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_with_skipped_partitions_succeeds_and_names_them() {
    let _stable = stable_snapshots();
    let mut world = World::with_definitions(project(false, false)).await;
    let done = world.materialize(&["--partitions", "all"]).await;
    assert_eq!(done, Ok(Exit::Done));
    insta::assert_snapshot!("run_with_skips", world.output_of("run", &["latest"]).await);
    world.session.json = true;
    let run = world.json_of("run", &["latest"]).await;
    assert_eq!(run["status"], "succeeded");
    // Eight assets in three regions: `feed`, `dropped` and what needs either are skipped in the south.
    let progress = json!({"succeeded": 19, "failed": 0, "skipped": 5, "held_back": 0});
    assert_eq!(run["progress"], progress);
    assert_eq!(
        (&run["failures"], &run["held_back"]),
        (&json!([]), &json!([]))
    );
    for (asset, skipped) in [
        ("feed", true),
        ("loaded", true),
        ("summed", true),
        ("dropped", true),
        ("of_dropped", true),
        ("listed", false),
        ("kept", false),
        ("of_kept", false),
    ] {
        let expected: &[&str] = if skipped { &["south"] } else { &[] };
        assert_eq!(world.keys_with(asset, "skipped").await, expected, "{asset}");
        assert_eq!(world.keys_with(asset, "missing").await, [""; 0], "{asset}");
        let made = world.keys_with(asset, "materialized").await;
        assert_eq!(made.len(), 3 - expected.len(), "{asset}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_tried_again_until_there_is_data() {
    let mut world = World::with_definitions(project(false, false))
        .await
        .with_json();
    let all = world.materialize(&["--partitions", "all"]).await;
    assert_eq!(all, Ok(Exit::Done));
    let runs = async |world: &World| {
        let runs = world.json_of("runs", &[]).await;
        runs.as_array().unwrap().len()
    };
    // Neither what is skipped nor what needs it is missing, and nothing of it failed.
    let missing = world.materialize(&["--partitions", "missing"]).await;
    assert_eq!((missing, runs(&world).await), (Ok(Exit::Done), 1));
    let retried = world
        .run_command("retry", &["latest"], &mut Vec::new())
        .await;
    assert_eq!((retried, runs(&world).await), (Ok(Exit::Done), 1));
    // In a later run what needs it is skipped by name, and its compared check has nothing to compare.
    let named = [
        "--select",
        "key:loaded+ or key:listed",
        "--partitions",
        "south",
    ];
    assert_eq!(world.materialize(&named).await, Ok(Exit::Done));
    let run = world.json_of("run", &["latest"]).await;
    assert_eq!(run["status"], "succeeded", "{run}");
    assert_eq!(run["progress"]["skipped"], 2, "{run}");
    // The data arrives: `skipped` asks for it, and what needs it is missing then.
    world.change_definitions(project(true, false)).await;
    let again = ["--select", "feed", "--partitions", "skipped"];
    assert_eq!(world.materialize(&again).await, Ok(Exit::Done));
    assert_eq!(world.keys_with("feed", "skipped").await, [""; 0]);
    assert_eq!(world.keys_with("summed", "missing").await, ["south"]);
    let missing = world.materialize(&["--partitions", "missing"]).await;
    assert_eq!(missing, Ok(Exit::Done));
    assert_eq!(world.keys_with("summed", "materialized").await.len(), 3);
    // A skip after that leaves the data to its readers.
    world.change_definitions(project(false, false)).await;
    let feed_only = ["--select", "feed", "--partitions", "south"];
    assert_eq!(world.materialize(&feed_only).await, Ok(Exit::Done));
    assert_eq!(world.keys_with("feed", "skipped").await, ["south"]);
    assert_eq!(world.keys_with("feed", "materialized").await.len(), 3);
    assert_eq!(world.keys_with("feed", "missing").await, [""; 0]);
    let readers = [
        "--select",
        "key:loaded or key:listed",
        "--partitions",
        "south",
    ];
    assert_eq!(world.materialize(&readers).await, Ok(Exit::Done));
    let run = world.json_of("run", &["latest"]).await;
    assert_eq!(run["progress"]["succeeded"], 2, "{run}");
    world.session.json = false;
    let shown = world
        .output_of("show", &["feed", "--partition", "south"])
        .await;
    assert!(shown.contains("south"), "{shown}");
}

/// `retry` runs what failed and what that held back. What is skipped stays so.
#[tokio::test(flavor = "multi_thread")]
async fn a_retry_leaves_skipped_partitions_out() {
    let mut world = World::with_definitions(project(false, true))
        .await
        .with_json();
    let all = world.materialize(&["--partitions", "all"]).await;
    assert_eq!(all, Ok(Exit::RunFailed));
    let run = world.json_of("run", &["latest"]).await;
    // An optional input of what failed is held back: its value is unknown.
    let progress = json!({"succeeded": 15, "failed": 1, "skipped": 5, "held_back": 3});
    assert_eq!(run["progress"], progress, "{run}");
    world.change_definitions(project(false, false)).await;
    let retried = world
        .run_command("retry", &["latest"], &mut Vec::new())
        .await;
    assert_eq!(retried, Ok(Exit::Done));
    let run = world.json_of("run", &["latest"]).await;
    let progress = json!({"succeeded": 4, "failed": 0, "skipped": 0, "held_back": 0});
    assert_eq!(run["progress"], progress, "{run}");
    assert_eq!(world.keys_with("loaded", "skipped").await, ["south"]);
}
