use std::{
    collections::BTreeMap,
    pin::pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    task::Poll,
    time::Duration,
};

use async_trait::async_trait;
use chrono::DateTime;
use precip_core::{
    metadata::Metadata,
    partitions::{PartitionContext, StaticPartitions},
    plan::{AssetStatuses, Lineage, PartitionSelector, Plan, PlanRequest},
    spec::{AssetSpec, BackfillPolicy, DepSpec, OpSpec},
};
use precip_engine::{
    asset::{AssetContext, AssetError, Execution, Inputs, OpBody, OpOutput, OpOutputs, Resources},
    definitions::{Definitions, OpDefinition, OpenEnvironment},
    run::{
        Clock, CreateRun, PlannedRun, RunEnd, RunPorts, RunSession, SystemClock, SystemRandomness,
        create_run, new_run_id,
    },
    run_id::RunId,
    state::{
        MaterializationStore, OwnerId, RequestedWork, RunStatus, RunStore, memory::MemoryStore,
    },
};

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
            if self.fails_for.lock().unwrap().contains(&name) {
                outputs
                    .failed
                    .push((key.clone(), AssetError::terminal("chosen to fail")));
                continue;
            }
            outputs.made.push(OpOutput {
                asset: asset.clone(),
                partition: Some(key.clone()),
                value: None,
                metadata: Metadata::new(),
                data_version: None,
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
}

/// Records a run of `a -> b -> c` with `count` partitions each, where `b` takes batches of four.
async fn recorded_world(count: usize, execution: Execution) -> World {
    let maker = Maker {
        fails_for: Arc::default(),
        calls: Arc::default(),
        running: Arc::default(),
        most_running: Arc::default(),
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
        RunPorts::system(
            Arc::new(self.state.clone()),
            Arc::new(TokioSleeper),
            Arc::new(TokioOpRunner),
        )
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
