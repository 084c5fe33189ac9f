//! Random projects while calls to AWS fail, and functions are killed anywhere.

mod emulator {
    use std::{
        fs,
        sync::{
            Arc,
            atomic::{AtomicBool, Ordering},
        },
        time::Duration,
    };

    use precip::{
        Definitions,
        engine::{
            deployment::ExecutionStatus,
            machine::StartInput,
            run::{SystemClock, SystemRandomness, new_run_id},
            run_id::RunId,
            state::{PageRequest, RequestedWork, Run, RunStatus, RunStore, StateStore},
        },
    };
    use precip_aws::Aws;
    use precip_graphs::{LIFE, Trouble, components, declare, random, rights::Rights};

    use crate::{
        deployment::Deployment,
        laptop::{Laptop, plan},
        number,
        proxy::Proxy,
        record::{Published, made_twice, published},
    };

    /// How many projects run at once, unless `PRECIP_TEST_GRAPHS` says it.
    const GRAPHS: usize = 8;

    /// How many milliseconds a process of a function lives at the mean.
    const MEAN_LIFE: &str = "10000";

    /// How often it is looked again, a second apart, whether a run has ended on record.
    const LOOKS: u32 = 60;

    /// How often what is missing is made once all is calm.
    const ROUNDS: usize = 3;

    /// Starts what is wanted of each project. Answers the runs.
    async fn start(
        deployment: &Deployment,
        definitions: &Arc<Definitions>,
        graphs: usize,
        partitions: &str,
    ) -> Vec<RunId> {
        let state: Arc<dyn StateStore> = Arc::new(deployment.state.clone());
        let mut runs = Vec::new();
        for group in components(graphs) {
            let request = RequestedWork {
                selection: format!("group:{group}"),
                partitions: Some(partitions.to_owned()),
                ..RequestedWork::default()
            };
            if plan(definitions, &state, &request).await.is_none() {
                continue;
            }
            let id = new_run_id(&SystemClock, &SystemRandomness);
            let input = StartInput {
                select: request.selection,
                partitions: request.partitions,
                ..StartInput::default()
            };
            deployment.start(id, &input).await;
            runs.push(id);
        }
        runs
    }

    /// Waits until a run has ended on record as well; `None` if its execution ended before there was
    /// a run. Answers whether the execution came to its own end, too.
    async fn ended(deployment: &Deployment, id: RunId) -> Option<(Run, bool)> {
        let execution = deployment.ended(id).await;
        for look in 0..LOOKS {
            if look == LOOKS / 2 {
                // Who is told of the end died as often as Lambda tries: a dead letter tells a person, and
                // a look at the run puts the end down.
                deployment.look(id);
            }
            let run = deployment.state.find_run(id).await.unwrap()?;
            if run.status.is_finished() {
                let whole = execution.status == ExecutionStatus::Succeeded
                    || execution.error.as_deref() == Some("Precip.RunFailed");
                return Some((run, whole));
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        panic!("run {id} has no end on record: {execution:?}");
    }

    /// Reads what is published, again and again: each value is whole, and the one on record.
    async fn read(reader: Reader, over: Arc<AtomicBool>) -> u32 {
        let mut reads = 0;
        while !over.load(Ordering::Relaxed) {
            for (target, made) in reader.published().await {
                let Some(made) = made else { continue };
                let stored = reader.load(&made.pointer).await;
                assert_eq!(stored, made.value, "{target} of {made:?}");
                reads += 1;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        reads
    }

    /// The group that a run is of.
    fn group_of(run: &Run) -> String {
        run.request
            .selection
            .trim_start_matches("group:")
            .to_owned()
    }

    struct Reader {
        state: Arc<dyn StateStore>,
        definitions: Arc<Definitions>,
        graphs: usize,
        aws: Aws,
        bucket: String,
    }

    impl Reader {
        async fn published(&self) -> Vec<(String, Option<Published>)> {
            let mut all = Vec::new();
            for group in components(self.graphs) {
                all.extend(published(&self.state, &self.definitions, &group).await);
            }
            all
        }

        async fn load(&self, pointer: &str) -> Option<i64> {
            let key = format!("data/{pointer}");
            let object = self.aws.s3().get_object().bucket(&self.bucket).key(key);
            let object = object.send().await.expect("what is published is there");
            let bytes = object.body.collect().await.unwrap().into_bytes();
            serde_json::from_slice(&bytes).unwrap()
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn whatever_fails_each_partition_is_made_once_and_none_is_lost() {
        let seed = number("PRECIP_TEST_SEED").unwrap_or(3);
        let graphs = number("PRECIP_TEST_GRAPHS").unwrap_or(GRAPHS);
        let project = random(seed, graphs, Trouble::Outages);
        let definitions = Arc::new(declare(project.clone()).unwrap());
        let (proxy, folder) = (Proxy::start(), tempfile::tempdir().unwrap());
        // It gives answers their length as well, which the other leaves out, and clients of S3 expect.
        let rights = Rights::start(Some(&proxy.endpoint()));
        let life = folder.path().join("life");
        fs::write(&life, MEAN_LIFE).unwrap();
        let variables = [rights.variable(), (LIFE, life.display().to_string())];
        let deployment = Deployment::new("outages", &project, &variables).await;
        let laptop = Laptop::new(Arc::clone(&definitions));
        for (set, keys) in project.dynamic_keys() {
            let stores: [&dyn StateStore; 2] = [laptop.state.as_ref(), &deployment.state];
            for store in stores {
                store.add_dynamic_keys(set, &keys).await.unwrap();
            }
        }
        let state: Arc<dyn StateStore> = Arc::new(deployment.state.clone());
        let over = Arc::new(AtomicBool::new(false));
        let reader = Reader {
            state: Arc::clone(&state),
            definitions: Arc::clone(&definitions),
            graphs,
            aws: Aws::from_env().await,
            bucket: deployment.bucket.clone(),
        };
        let reading = tokio::spawn(read(reader, Arc::clone(&over)));

        let mut runs = start(&deployment, &definitions, graphs, "all").await;
        assert_eq!(runs.len(), graphs);
        let (mut lost, mut broken) = (0, 0);
        for id in &runs {
            let Some((run, whole)) = ended(&deployment, *id).await else {
                lost += 1;
                continue;
            };
            if !whole {
                // The planner died too often: the run has failed, and knows no more of what is left.
                assert_eq!(run.status, RunStatus::Failed);
                broken += 1;
                continue;
            }
            let planned: u64 = run
                .plan
                .as_ref()
                .map(|plan| plan.assets.values().sum())
                .unwrap();
            let mut accounted = 0;
            for _ in 0..LOOKS {
                let progress = state.run_progress(*id).await.unwrap();
                accounted = progress.succeeded + progress.failed + progress.skipped;
                if accounted == planned {
                    break;
                }
                // What follows from the table's stream comes later.
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            if accounted != planned {
                let page = PageRequest::first(1_000);
                let latest = published(&state, &definitions, &group_of(&run)).await;
                panic!(
                    "seed {seed}: {run:?} ended without the truth: of {planned} {:?}; failed {:?}; \
                     skipped {:?}; made {:?}; there is {latest:?}",
                    state.run_progress(*id).await.unwrap(),
                    state.run_failures(*id, &page).await.unwrap().items,
                    state.run_untried(*id).await.unwrap(),
                    state.published_by(*id).await.unwrap(),
                );
            }
        }

        assert!(
            lost + broken < graphs,
            "seed {seed}: no run came to its own end: {lost} never began, {broken} ended with their planner"
        );

        proxy.calm();
        fs::remove_file(&life).unwrap();
        for _ in 0..ROUNDS {
            let more = start(&deployment, &definitions, graphs, "missing").await;
            if more.is_empty() {
                break;
            }
            for id in &more {
                ended(&deployment, *id).await;
            }
            runs.extend(more);
        }
        over.store(true, Ordering::Relaxed);
        let reads = reading.await.unwrap();
        assert_eq!(rights.refused(), "[]");
        assert!(reads > 0, "nothing was read meanwhile");
        let (mut partitions, mut later) = (0, 0);
        for group in components(graphs) {
            let request = RequestedWork {
                selection: format!("group:{group}"),
                partitions: Some("all".to_owned()),
                ..RequestedWork::default()
            };
            let planned = laptop.plan(&request).await.unwrap();
            let id = new_run_id(&SystemClock, &SystemRandomness);
            laptop.run(id, &request, &planned).await;
            let here = published(&laptop.state, &definitions, &group).await;
            let there = published(&state, &definitions, &group).await;
            assert_eq!(there.len(), here.len());
            for ((target, there), (same, here)) in there.iter().zip(&here) {
                assert_eq!(target, same);
                let (Some(there), Some(here)) = (there, here) else {
                    panic!("seed {seed}: {target} is lost: {there:?}, on a laptop {here:?}");
                };
                assert_eq!(
                    there.value,
                    here.value,
                    "seed {seed}: {target} {there:?} in {}",
                    serde_json::to_string(&project.assets).unwrap()
                );
                partitions += 1;
                later += u32::from(there.attempt > 1);
            }
            let twice = made_twice(&state, &definitions, &group).await;
            assert!(twice.is_empty(), "seed {seed}: {twice:?}");
        }
        println!(
            "seed {seed}: {graphs} projects, {} runs ({lost} of them never began, {broken} ended with their \
             planner), {partitions} partitions, {later} of them made in a later attempt, {reads} reads",
            runs.len()
        );
    }
}
