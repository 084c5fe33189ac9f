use std::{
    collections::BTreeMap,
    pin::pin,
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    task::Poll,
    time::Duration,
};

use async_trait::async_trait;
use chrono::DateTime;
use precip_core::{
    metadata::{Metadata, MetadataValue},
    partitions::{PartitionContext, StaticPartitions},
    plan::{AssetStatuses, Lineage, PartitionSelector, Plan, PlanRequest},
    spec::{AssetSpec, BackfillPolicy, DepSpec, OpSpec},
};
use precip_engine::{
    asset::{
        AssetContext, AssetError, ErrorKind, Execution, Inputs, OpBody, OpOutput, OpOutputs,
        Resources,
    },
    definitions::{Definitions, OpDefinition, OpenEnvironment},
    run::{
        Clock, CreateRun, PlannedRun, RunEnd, RunPorts, RunSession, SystemClock, SystemRandomness,
        create_run, new_run_id, next_run_id,
    },
    run_id::RunId,
    state::{
        MAX_RECORD_BYTES, MAX_TEXT_BYTES, MaterializationStore, NewRun, OwnerId, PageRequest,
        PartitionRef, ReadConsistency, RequestedWork, RunStatus, RunStore,
        conformance::fixtures::{materialization_of, new_run},
        json_len,
        memory::MemoryStore,
    },
};
use ulid::Ulid;

use super::*;

/// An op body that fails for chosen partitions and counts its calls.
#[derive(Clone)]
struct Maker {
    /// The partitions that fail, such as `a[p0001]`.
    fails_for: Arc<Mutex<Vec<String>>>,
    /// Number of calls for each partition.
    calls: Arc<Mutex<BTreeMap<String, u32>>>,
    /// Number of calls that run now.
    running: Arc<AtomicU32>,
    /// The most calls that ran at a time.
    most_running: Arc<AtomicU32>,
    /// A text in each error and in the metadata of each partition, unless it is empty.
    long: Arc<Mutex<String>>,
    /// The partition whose data version is larger than a record.
    version_of: Arc<Mutex<Option<String>>>,
}

#[async_trait]
impl OpBody for Maker {
    async fn run_op(
        &self,
        context: AssetContext,
        _: Inputs,
        _: &Resources,
    ) -> Result<OpOutputs, AssetError> {
        let now = self.running.fetch_add(1, Ordering::SeqCst) + 1;
        // Yielding in between lets concurrent calls overlap.
        self.most_running.fetch_max(now, Ordering::SeqCst);
        tokio::task::yield_now().await;
        self.running.fetch_sub(1, Ordering::SeqCst);
        let asset = context.selected()[0].clone();
        let mut outputs = OpOutputs::default();
        for key in context.partition_keys() {
            let name = format!("{asset}[{key}]");
            *self.calls.lock().unwrap().entry(name.clone()).or_default() += 1;
            let long = self.long.lock().unwrap().clone();
            if self.fails_for.lock().unwrap().contains(&name) {
                let error = AssetError::terminal(format!("chosen to fail {long}"));
                outputs.failed.push((key.clone(), error));
                continue;
            }
            let mut metadata = Metadata::new();
            if !long.is_empty() {
                metadata.insert("log".to_owned(), long.into());
                metadata.insert("rows".to_owned(), 3_i64.into());
            }
            let large = self.version_of.lock().unwrap().as_ref() == Some(&name);
            outputs.made.push(OpOutput {
                asset: asset.clone(),
                partition: Some(key.clone()),
                value: None,
                metadata,
                data_version: large.then(|| "v".repeat(MAX_RECORD_BYTES)),
            });
        }
        Ok(outputs)
    }
}

struct World {
    definitions: Arc<Definitions>,
    state: MemoryStore,
    maker: Maker,
    planned: PlannedRun,
    run: RunId,
    /// The home that keeps long texts, instead of the log.
    texts: Option<crate::home::Home>,
}

/// Records a run of `a -> b -> c` with `count` partitions each, where `b` takes batches of four.
async fn recorded_world(count: usize, execution: Execution) -> World {
    let maker = Maker {
        fails_for: Arc::default(),
        calls: Arc::default(),
        running: Arc::default(),
        most_running: Arc::default(),
        long: Arc::default(),
        version_of: Arc::default(),
    };
    let keys = StaticPartitions::new((0..count).map(|index| format!("p{index:04}"))).unwrap();
    let partitions = Arc::new(keys.into());
    let mut builder = Definitions::builder();
    for (key, upstream, pool) in [
        // `a` is in a pool; `b` is the one with batches.
        ("a", None, Some("narrow")),
        ("b", Some("a"), None),
        ("c", Some("b"), None),
    ] {
        let mut asset = AssetSpec::new(key.parse().unwrap());
        asset.partitions = Some(Arc::clone(&partitions));
        asset.deps = upstream
            .map(|upstream: &str| DepSpec::new(upstream.parse().unwrap()))
            .into_iter()
            .collect();
        let mut spec = OpSpec::single(asset);
        spec.pool = pool.map(str::to_owned);
        if key == "b" {
            spec.backfill = BackfillPolicy::MultiRun(4.try_into().unwrap());
        }
        let mut op = OpDefinition::new(spec, maker.clone());
        op.execution = execution;
        builder = builder.op(op);
    }
    let definitions = Arc::new(builder.build().unwrap());
    let context = PartitionContext::at(DateTime::UNIX_EPOCH);
    let graph = definitions.graph();
    let request = PlanRequest::new(graph.all_assets(), PartitionSelector::all());
    let plan = Plan::new(
        Lineage::new(graph, &context),
        &request,
        &AssetStatuses::default(),
    )
    .unwrap();
    let world = World {
        state: MemoryStore::new(),
        run: new_run_id(&SystemClock, &SystemRandomness),
        planned: PlannedRun { plan, context },
        definitions,
        maker,
        texts: None,
    };
    let new = CreateRun {
        id: world.run,
        key: None,
        request: RequestedWork::default(),
        plan: &world.planned.plan,
        pointer: None,
    };
    create_run(&world.run_ports(), new).await.unwrap();
    world
}

impl World {
    fn run_ports(&self) -> RunPorts {
        let ports = RunPorts::system(
            Arc::new(self.state.clone()),
            Arc::new(TokioSleeper),
            Arc::new(TokioOpRunner),
        );
        match &self.texts {
            Some(home) => RunPorts {
                long_texts: Arc::new(home.long_texts()),
                ..ports
            },
            None => ports,
        }
    }

    fn new_session(&self) -> Arc<RunSession> {
        Arc::new(RunSession::new(
            Arc::clone(&self.definitions),
            self.run_ports(),
            self.planned.context.clone(),
            self.run,
            &self.planned.plan,
            OpenEnvironment::default(),
        ))
    }

    async fn execute_run(&self) -> RunReport {
        let executor = executor_of("first");
        let stop = Stop::default();
        executor
            .execute_run(self.new_session(), &self.planned, &stop)
            .await
            .unwrap()
    }

    async fn resume_run(&self) -> RunReport {
        let executor = executor_of("first");
        let stop = Stop::default();
        executor
            .resume_run(self.new_session(), &self.planned, &stop)
            .await
            .unwrap()
    }

    async fn materialized_counts(&self) -> Vec<u64> {
        let mut counts = Vec::new();
        for key in ["a", "b", "c"] {
            let statuses = self
                .state
                .partition_statuses(&key.parse().unwrap())
                .await
                .unwrap();
            counts.push(statuses.materialized.len());
        }
        counts
    }

    async fn run_status(&self) -> RunStatus {
        self.state.find_run(self.run).await.unwrap().unwrap().status
    }
}

fn executor_of(owner: &str) -> Executor {
    Executor::new(OwnerId(owner.to_owned())).with_concurrency(4.try_into().unwrap())
}

#[tokio::test]
async fn everything_runs_once() {
    let world = recorded_world(30, Execution::Async).await;
    let report = world.execute_run().await;
    assert_eq!(report.end, RunEnd::Succeeded);
    assert_eq!(report.materialized, 90);
    assert_eq!(world.materialized_counts().await, [30, 30, 30]);
    assert!(
        world
            .maker
            .calls
            .lock()
            .unwrap()
            .values()
            .all(|calls| *calls == 1)
    );
    assert_eq!(world.run_status().await, RunStatus::Succeeded);
}

#[tokio::test]
async fn a_failure_holds_back_what_depends_on_it_and_nothing_else() {
    let world = recorded_world(8, Execution::Async).await;
    let fails_for = ["a[p0001]".to_owned(), "b[p0006]".to_owned()];
    world.maker.fails_for.lock().unwrap().extend(fails_for);
    let report = world.execute_run().await;
    assert_eq!(report.end, RunEnd::Failed { failed: 2, held: 3 });
    // `a` makes 7, `b` 6 of those, and `c` those 6: three partitions are held back.
    assert_eq!(world.materialized_counts().await, [7, 6, 6]);
    assert_eq!(world.run_status().await, RunStatus::Failed);
    let skipped = world.state.run_untried(world.run).await.unwrap();
    let count: u64 = skipped.iter().map(|skipped| skipped.partitions.len()).sum();
    assert_eq!(count, 3);

    // Resuming makes only what failed and what was held back.
    world.maker.fails_for.lock().unwrap().clear();
    world.maker.calls.lock().unwrap().clear();
    let report = world.resume_run().await;
    assert_eq!(report.end, RunEnd::Succeeded);
    assert_eq!(world.materialized_counts().await, [8, 8, 8]);
    let again: Vec<String> = world.maker.calls.lock().unwrap().keys().cloned().collect();
    assert_eq!(
        again,
        ["a[p0001]", "b[p0001]", "b[p0006]", "c[p0001]", "c[p0006]"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn blocking_functions_run_concurrently_within_their_pool() {
    let world = recorded_world(12, Execution::Blocking).await;
    use precip_engine::state::PoolStore;
    world.state.set_pool_limit("narrow", Some(2)).await.unwrap();
    let report = world.execute_run().await;
    assert_eq!(report.end, RunEnd::Succeeded);
    assert!(world.maker.most_running.load(Ordering::SeqCst) <= 4);
    let now = SystemClock.now();
    let pool = world.state.pool_state("narrow", now).await.unwrap();
    assert!(pool.slots.is_empty(), "every slot was released");
}

#[tokio::test]
async fn a_run_that_is_stopped_gently_can_be_resumed() {
    let world = recorded_world(20, Execution::Async).await;
    let stop = Stop::default();
    stop.gently.cancel();
    // Canceled before it begins: at most what was ready at once runs.
    let executor = executor_of("first");
    let report = executor
        .execute_run(world.new_session(), &world.planned, &stop)
        .await
        .unwrap();
    assert_eq!(report.end, RunEnd::Canceled);
    assert_eq!(world.run_status().await, RunStatus::Canceled);
    assert!(world.materialized_counts().await[0] < 20);
    assert_eq!(world.resume_run().await.end, RunEnd::Succeeded);
    assert_eq!(world.materialized_counts().await, [20, 20, 20]);
}

#[tokio::test]
async fn a_run_that_is_killed_anywhere_is_resumed_without_making_anything_twice() {
    for polls in 0..40 {
        let world = recorded_world(6, Execution::Async).await;
        let stop = Stop::default();
        let executor = executor_of("first");
        let mut left = polls;
        {
            let mut running =
                pin!(executor.execute_run(world.new_session(), &world.planned, &stop));
            // Dropping the future aborts every item, as the end of the process would.
            std::future::poll_fn(|cx| {
                if left == 0 {
                    return Poll::Ready(());
                }
                left -= 1;
                running.as_mut().poll(cx).map(|_| ())
            })
            .await;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
        if world.run_status().await == RunStatus::Succeeded {
            // The run ended within this number of polls.
            continue;
        }
        let before = world.materialized_counts().await;
        // What was published before the kill is not made again.
        world.maker.calls.lock().unwrap().clear();
        let report = world.resume_run().await;
        assert_eq!(report.end, RunEnd::Succeeded, "killed after {polls} polls");
        assert_eq!(world.materialized_counts().await, [6, 6, 6]);
        let calls: u32 = world.maker.calls.lock().unwrap().values().sum();
        let done: u64 = before.iter().sum();
        assert_eq!(u64::from(calls) + done, 18, "killed after {polls} polls");
    }
}

/// A newer run publishes a partition first. What this run makes of it is not published, so it is not
/// counted as materialized, and what depends on it is held back.
#[tokio::test]
async fn a_run_that_a_newer_one_overtook_says_so_and_fails() {
    let world = recorded_world(3, Execution::Async).await;
    let ahead = Ulid::from_parts(world.run.as_ulid().timestamp_ms() + 86_400_000, 1);
    let ahead = RunId::new(ahead);
    let target = PartitionRef::new("a".parse().unwrap(), "p0001", 1);
    let made = materialization_of(&target, ahead, 1);
    world
        .state
        .commit_materializations(vec![made])
        .await
        .unwrap();
    let report = world.execute_run().await;
    assert_eq!(report.end, RunEnd::Failed { failed: 1, held: 2 });
    assert_eq!(report.materialized, 6);
    let message = format!("run {ahead}, which is newer than this one, has published `a[p0001]`");
    assert!(
        report.failures[0].message.starts_with(&message),
        "{:?}",
        report.failures
    );
    let page = PageRequest::first(10);
    let failures = world.state.run_failures(world.run, &page).await.unwrap();
    assert_eq!(failures.items[0].message, report.failures[0].message);
    // The partition itself is fine: the newer run's data is what readers see.
    let statuses = world.state.partition_statuses(&target.asset).await.unwrap();
    assert!(statuses.failed.is_empty());

    // A run that is created now is newer, and publishes.
    let ports = world.run_ports();
    let (clock, randomness) = (ports.clock.as_ref(), ports.randomness.as_ref());
    world.state.create_run(run_of(ahead)).await.unwrap();
    let next = next_run_id(&world.state, clock, randomness).await.unwrap();
    assert!(next > ahead);
}

fn run_of(id: RunId) -> NewRun {
    NewRun {
        id,
        ..new_run(1, None)
    }
}

/// Everything that a partition says is larger than a record: nothing of it stops another partition.
#[tokio::test]
async fn long_errors_and_metadata_stop_no_other_partition() {
    let mut world = recorded_world(5, Execution::Async).await;
    let folder = tempfile::tempdir().unwrap();
    let home = crate::home::Home::of_project(folder.path(), None);
    world.texts = Some(home.clone());
    let long = "gr\u{fc}n\u{1b} ".repeat(MAX_RECORD_BYTES / 8);
    *world.maker.long.lock().unwrap() = long.clone();
    world
        .maker
        .fails_for
        .lock()
        .unwrap()
        .extend(["a[p0001]", "b[p0002]"].map(str::to_owned));
    let report = world.execute_run().await;
    assert_eq!(report.end, RunEnd::Failed { failed: 2, held: 3 });
    assert_eq!(world.materialized_counts().await, [4, 3, 3]);

    // The record says how much was cut, and where the whole is.
    let page = PageRequest::first(10);
    let failures = world.state.run_failures(world.run, &page).await.unwrap();
    let message = &failures.items[0].message;
    assert!(json_len(message) <= MAX_TEXT_BYTES);
    let path = path_of_whole(message);
    let whole = std::fs::read_to_string(path).unwrap();
    assert!(whole.contains(&long), "{path}");
    let target = PartitionRef::new("a".parse().unwrap(), "p0000", 0);
    let latest = world
        .state
        .latest_materialization(&target, ReadConsistency::Strong)
        .await
        .unwrap()
        .unwrap();
    let metadata = &latest.published().unwrap().metadata;
    let MetadataValue::Text(log) = &metadata["log"] else {
        panic!("{metadata:?}");
    };
    let whole = std::fs::read_to_string(path_of_whole(log)).unwrap();
    let whole: Metadata = serde_json::from_str(&whole).unwrap();
    assert_eq!(whole["log"], MetadataValue::Text(long));
    assert_eq!(metadata["rows"], MetadataValue::Int(3));

    // A version cannot be cut. It fails its own partition.
    let world = recorded_world(3, Execution::Async).await;
    *world.maker.version_of.lock().unwrap() = Some("c[p0001]".to_owned());
    let report = world.execute_run().await;
    assert_eq!(report.end, RunEnd::Failed { failed: 1, held: 0 });
    assert!(
        report.failures[0]
            .message
            .contains("`c[p0001]` does not fit"),
        "{:?}",
        report.failures
    );
}

/// Returns the path in the note of a text that was cut.
fn path_of_whole(cut: &str) -> &str {
    let (_, note) = cut.rsplit_once("more bytes; the whole is in `").unwrap();
    note.strip_suffix("`)").unwrap()
}

/// A body that keeps its thread until the test lets it go, or waits for that at an `.await`.
#[derive(Clone)]
struct Stuck {
    blocks: bool,
    released: Arc<(Mutex<bool>, Condvar)>,
    /// Number of bodies whose future was dropped or ended.
    ended: Arc<AtomicU32>,
}

struct CountEnd(Arc<AtomicU32>);

impl Drop for CountEnd {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[async_trait]
impl OpBody for Stuck {
    async fn run_op(
        &self,
        _: AssetContext,
        _: Inputs,
        _: &Resources,
    ) -> Result<OpOutputs, AssetError> {
        let _end = CountEnd(Arc::clone(&self.ended));
        if !self.blocks {
            return std::future::pending().await;
        }
        let (released, changed) = &*self.released;
        let guard = released.lock().unwrap();
        drop(changed.wait_while(guard, |released| !*released).unwrap());
        Ok(OpOutputs::default())
    }
}

/// Whatever a function does, its timeout fires: an `async fn` that blocks its thread, more of them than
/// the runtime has threads, a plain `fn`, and one that waits at an `.await`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_timeout_fires_whatever_the_function_does() {
    let cases = [
        (Execution::Async, true),
        (Execution::Blocking, true),
        (Execution::Async, false),
    ];
    for (execution, blocks) in cases {
        let body = Stuck {
            blocks,
            released: Arc::default(),
            ended: Arc::default(),
        };
        let keys = StaticPartitions::new((0..6).map(|index| format!("p{index}"))).unwrap();
        let mut asset = AssetSpec::new("stuck".parse().unwrap());
        asset.partitions = Some(Arc::new(keys.into()));
        let mut spec = OpSpec::single(asset);
        spec.compute.timeout = Duration::from_millis(20);
        let mut op = OpDefinition::new(spec, body.clone());
        op.execution = execution;
        let mut world = recorded_world(1, execution).await;
        world.definitions = Arc::new(Definitions::builder().op(op).build().unwrap());
        let graph = world.definitions.graph();
        let request = PlanRequest::new(graph.all_assets(), PartitionSelector::all());
        let lineage = Lineage::new(graph, &world.planned.context);
        world.planned.plan = Plan::new(lineage, &request, &AssetStatuses::default()).unwrap();
        let report = world.execute_run().await;
        assert_eq!(report.end, RunEnd::Failed { failed: 6, held: 0 });
        for failure in &report.failures {
            assert_eq!(failure.kind, ErrorKind::Timeout, "{failure:?}");
            assert!(
                failure.message.starts_with("not done after 0.02 s"),
                "{failure:?}"
            );
        }
        if blocks {
            assert_eq!(
                body.ended.load(Ordering::SeqCst),
                0,
                "the threads are still kept"
            );
            *body.released.0.lock().unwrap() = true;
            body.released.1.notify_all();
        }
        // One that waits ends when its call is dropped.
        while body.ended.load(Ordering::SeqCst) < 6 {
            tokio::task::yield_now().await;
        }
    }
}
