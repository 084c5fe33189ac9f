//! `resume` and `retry` of runs whose project was changed after they were planned.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use chrono::Utc;
use precip::{
    core::partitions::{DynamicPartitions, PartitionsDefinition, StaticPartitions},
    engine::definitions::{Declaration, Declares},
    prelude::*,
};
use precip_cli::{target::Target, testing::Exit};
use precip_engine::state::{PageRequest, Run, RunChange, RunFilter, RunStatus};

use crate::world::World;

/// What a shop took. The till of `mill` is broken.
#[asset]
fn takings(context: &AssetContext) -> Result<String, AssetError> {
    match context.partition_key()?.as_str() {
        "mill" => Err(AssetError::terminal("the till is broken")),
        other => Ok(other.to_owned()),
    }
}

/// Goods of a shop: `kiosk` has none, and `depot` cannot count them at first.
#[asset]
fn stock(context: &AssetContext) -> Result<Option<String>, AssetError> {
    match context.partition_key()?.as_str() {
        "kiosk" => Ok(None),
        "depot" if DEPOT_FAILS.load(Ordering::SeqCst) => Err(AssetError::terminal("no light")),
        other => Ok(Some(other.to_owned())),
    }
}

static DEPOT_FAILS: AtomicBool = AtomicBool::new(true);

/// What the goods are worth.
#[asset]
fn worth(stock: String) -> String {
    format!("worth of {stock}")
}

/// The same in another asset.
#[asset]
fn revenue(context: &AssetContext) -> Result<String, AssetError> {
    Ok(context.partition_key()?.to_string())
}

fn with_partitions<A: Declares>(partitions: &PartitionsDefinition) -> Declaration {
    let mut declared = A::declare();
    if let Declaration::Op(op) = &mut declared {
        op.spec.assets[0].partitions = Some(Arc::new(partitions.clone()));
    }
    declared
}

fn project_of(partitions: &PartitionsDefinition) -> Definitions {
    Definitions::builder()
        .declare([with_partitions::<takings>(partitions)])
        .build()
        .unwrap()
}

fn shops(keys: &[&str]) -> PartitionsDefinition {
    StaticPartitions::new(keys.iter().copied()).unwrap().into()
}

/// A world in which every key was asked for, and `mill` failed.
async fn world_after_run(keys: &[&str]) -> World {
    let mut world = World::with_definitions(project_of(&shops(keys))).await;
    // Opened as by the first command: the record knows its numbers.
    world.change_definitions(project_of(&shops(keys))).await;
    let done = world.materialize(&["--partitions", "all"]).await;
    assert_eq!(done, Ok(Exit::RunFailed));
    world
}

impl World {
    async fn runs(&self) -> Vec<Run> {
        let (filter, page) = (RunFilter::default(), PageRequest::first(10));
        let runs = self.session.store.list_runs(&filter, &page).await;
        runs.unwrap().items
    }

    /// Leaves the latest run as a process that was killed leaves it.
    async fn interrupt_latest(&self) {
        let run = self.runs().await.remove(0);
        let running = RunChange::new([RunStatus::Failed], RunStatus::Running, Utc::now());
        self.session
            .store
            .change_run(run.id, running)
            .await
            .unwrap();
    }

    /// The keys that are materialized, in the order of the definition.
    async fn made(&self) -> Vec<String> {
        let asset = "takings".parse().unwrap();
        let statuses = self.session.store.partition_statuses(&asset).await.unwrap();
        let graph = self.session.definitions.graph();
        let definition = graph.partitions(graph.id(&asset).unwrap()).unwrap();
        let keys = definition.keys(&statuses.materialized, &self.session.context);
        keys.map(|key| key.to_string()).collect()
    }

    fn plan_file(&self, run: &Run) -> PathBuf {
        let Target::Local(home) = &self.session.target else {
            unreachable!("a world is on this machine");
        };
        home.runs_folder()
            .join(run.id.to_string())
            .join("plan.json")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resumed_run_makes_the_keys_that_were_asked_for() {
    let mut world = world_after_run(&["harbour", "mill", "station"]).await;
    for keys in [
        &["new", "harbour", "mill", "station"],
        &["station", "newer", "mill", "harbour"],
    ] {
        world.change_definitions(project_of(&shops(keys))).await;
        world.interrupt_latest().await;
        let resumed = world
            .run_command("resume", &["latest"], &mut Vec::new())
            .await;
        assert_eq!(resumed, Ok(Exit::RunFailed));
        let mut made = world.made().await;
        made.sort();
        assert_eq!(made, ["harbour", "station"]);
        let retried = world
            .run_command("retry", &["latest"], &mut Vec::new())
            .await;
        assert_eq!(retried, Ok(Exit::RunFailed));
        let run = world.runs().await.remove(0);
        assert_eq!(run.plan.unwrap().items, 1, "the retry is for `mill` alone");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_key_is_named_and_no_run_is_left_open() {
    let mut world = world_after_run(&["harbour", "mill", "station"]).await;
    world
        .change_definitions(project_of(&shops(&["harbour", "station"])))
        .await;
    let gone = "partition `mill` of `takings` is gone since the run was planned: it had the keys \
                `harbour`, `mill` and `station` then, and has the keys `harbour` and `station` now; \
                declare it again, or start a new run with `materialize`";
    let refused = world.failure_of("retry", &["latest"]).await;
    assert_eq!(refused, format!("exit 2\nerror: {gone}\n"));
    assert_eq!(world.runs().await.len(), 1, "no run was created");

    world.interrupt_latest().await;
    let refused = world.failure_of("resume", &["latest"]).await;
    assert_eq!(refused, format!("exit 2\nerror: {gone}\n"));
    let run = world.runs().await.remove(0);
    assert_eq!(run.status, RunStatus::Failed);
    assert_eq!(run.message, Some(format!("could not be resumed: {gone}")));
    assert_eq!(run.owner, None);

    // Declared again, the run can go on.
    world
        .change_definitions(project_of(&shops(&["mill", "harbour"])))
        .await;
    let resumed = world
        .run_command("resume", &["latest"], &mut Vec::new())
        .await;
    assert_eq!(resumed, Ok(Exit::RunFailed));
    assert_eq!(world.made().await, ["harbour"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_key_that_is_made_is_no_obstacle() {
    let mut world = world_after_run(&["harbour", "mill", "station"]).await;
    world
        .change_definitions(project_of(&shops(&["mill", "station"])))
        .await;
    for command in ["resume", "retry"] {
        let done = world
            .run_command(command, &["latest"], &mut Vec::new())
            .await;
        assert_eq!(done, Ok(Exit::RunFailed), "{command}");
        assert_eq!(world.made().await, ["station"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_was_removed_from_a_dynamic_set_is_named() {
    let project = || project_of(&DynamicPartitions::new("shops").into());
    let mut world = World::with_definitions(project()).await;
    let store = Arc::clone(&world.session.store);
    let keys = ["harbour".into(), "mill".into()];
    store.add_dynamic_keys("shops", &keys).await.unwrap();
    world.change_definitions(project()).await;
    let done = world.materialize(&["--partitions", "all"]).await;
    assert_eq!(done, Ok(Exit::RunFailed));

    let mill = ["mill".into()];
    store.remove_dynamic_keys("shops", &mill).await.unwrap();
    world.change_definitions(project()).await;
    world.interrupt_latest().await;
    for command in ["resume", "retry"] {
        let refused = world.failure_of(command, &["latest"]).await;
        let expected = "exit 2\nerror: partition `mill` of `takings` is gone since the run was \
                        planned: it has the dynamic set `shops`; add it again with `dynamic shops \
                        add mill`, or start a new run with `materialize`\n";
        assert_eq!(refused, expected, "{command}");
        assert_eq!(world.runs().await.len(), 1);
        assert_eq!(world.runs().await[0].status, RunStatus::Failed);
    }
    store.add_dynamic_keys("shops", &mill).await.unwrap();
    world.change_definitions(project()).await;
    let done = world
        .run_command("retry", &["latest"], &mut Vec::new())
        .await;
    assert_eq!(done, Ok(Exit::RunFailed));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_asset_and_one_without_partitions_are_refused() {
    let mut world = world_after_run(&["harbour", "mill"]).await;
    let other = Definitions::builder()
        .declare([with_partitions::<revenue>(&shops(&["harbour", "mill"]))])
        .build();
    world.change_definitions(other.unwrap()).await;
    for command in ["resume", "retry"] {
        let refused = world.failure_of(command, &["latest"]).await;
        let expected = "exit 2\nerror: the plan names asset `takings`, which is not declared";
        assert!(refused.starts_with(expected), "{refused}");
    }
    let whole = Definitions::builder().declare([takings::declare()]).build();
    world.change_definitions(whole.unwrap()).await;
    for command in ["resume", "retry"] {
        let refused = world.failure_of(command, &["latest"]).await;
        let expected = "exit 2\nerror: `takings` is divided in another way than when the run was \
                        planned: it had the keys `harbour` and `mill` then, and has no partitions \
                        now";
        assert!(refused.starts_with(expected), "{refused}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_of_an_earlier_version_is_used_while_the_record_agrees() {
    let mut world = world_after_run(&["harbour", "mill"]).await;
    let run = world.runs().await.remove(0);
    let file = world.plan_file(&run);
    let forget_basis = || {
        let mut plan: serde_json::Value =
            serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        let fields = plan.as_object_mut().unwrap();
        fields.remove("basis").unwrap();
        // Earlier versions wrote no digest either.
        fields.remove("digest").unwrap();
        std::fs::write(&file, plan.to_string()).unwrap();
    };
    forget_basis();
    let done = world
        .run_command("resume", &["latest"], &mut Vec::new())
        .await;
    assert_eq!(done, Ok(Exit::RunFailed));
    // Resuming gave the plan a basis.
    forget_basis();
    world
        .change_definitions(project_of(&shops(&["new", "harbour", "mill"])))
        .await;
    for command in ["resume", "retry"] {
        let refused = world.failure_of(command, &["latest"]).await;
        let expected = "exit 2\nerror: the partitions of `takings` have changed, and the run was \
                        planned by a version that did not record what they were";
        assert!(refused.starts_with(expected), "{refused}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_that_was_edited_is_refused() {
    let mut world = world_after_run(&["harbour", "mill"]).await;
    let both = Definitions::builder().declare([
        with_partitions::<takings>(&shops(&["harbour", "mill"])),
        with_partitions::<revenue>(&shops(&["harbour", "mill"])),
    ]);
    world.change_definitions(both.build().unwrap()).await;
    let file = world.plan_file(&world.runs().await.remove(0));
    let plan = std::fs::read_to_string(&file).unwrap();
    // The other op exists, and its asset has the same partitions.
    std::fs::write(&file, plan.replace("takings", "revenue")).unwrap();
    for command in ["resume", "retry"] {
        let refused = world.failure_of(command, &["latest"]).await;
        let expected = "the file was changed or damaged since the run was planned";
        assert!(refused.contains(expected), "{refused}");
        assert!(
            refused.contains("start a new run with `materialize`"),
            "{refused}"
        );
    }
    let asset = "revenue".parse().unwrap();
    let made = world
        .session
        .store
        .partition_statuses(&asset)
        .await
        .unwrap();
    assert!(made.materialized.is_empty());
}

/// What is skipped for want of upstream data is on record by ordinal.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_skipped_by_an_earlier_ordinal_holds_nothing_back() {
    let project = |keys: &[&str]| {
        let partitions = shops(keys);
        let declared = [
            with_partitions::<stock>(&partitions),
            with_partitions::<worth>(&partitions),
        ];
        Definitions::builder().declare(declared).build().unwrap()
    };
    let before = ["harbour", "kiosk", "depot"];
    let mut world = World::with_definitions(project(&before)).await;
    world.change_definitions(project(&before)).await;
    DEPOT_FAILS.store(true, Ordering::SeqCst);
    let done = world.materialize(&["--partitions", "all"]).await;
    assert_eq!(done, Ok(Exit::RunFailed));
    // `depot` has the ordinal at which `kiosk` was skipped, and then the one at which it was not.
    for keys in [["harbour", "depot", "kiosk"], before] {
        world.change_definitions(project(&keys)).await;
        world.interrupt_latest().await;
        let resumed = world
            .run_command("resume", &["latest"], &mut Vec::new())
            .await;
        assert_eq!(resumed, Ok(Exit::RunFailed));
    }
    world
        .change_definitions(project(&["harbour", "depot", "kiosk"]))
        .await;
    DEPOT_FAILS.store(false, Ordering::SeqCst);
    world.interrupt_latest().await;
    let resumed = world
        .run_command("resume", &["latest"], &mut Vec::new())
        .await;
    assert_eq!(resumed, Ok(Exit::Done));
    let key = "worth".parse().unwrap();
    let made = world.session.store.partition_statuses(&key).await.unwrap();
    assert_eq!(made.materialized, [0, 1].into_iter().collect());
}
