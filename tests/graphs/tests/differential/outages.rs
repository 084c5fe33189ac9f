//! Random projects while calls to AWS fail, and functions abort at any moment.

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
    use precip_graphs::{
        MEAN_LIFE_FILE, Trouble, component_groups, declare_project, deployment::Deployment,
        random_project, rights::RightsProxy,
    };

    use crate::{
        PROGRAM, await_execution,
        laptop::{Laptop, plan_work},
        number_variable,
        proxy::Proxy,
        record::{Published, published_twice, read_published},
    };

    /// The number of independent graphs, unless `PRECIP_TEST_GRAPHS` sets it.
    const GRAPHS: usize = 8;

    /// The mean life of a function's process, in milliseconds.
    const MEAN_LIFE: &str = "10000";

    /// The most polls, a second apart, for the recorded end of a run.
    const POLLS: u32 = 60;

    /// The most runs of what is missing, after the faults.
    const ROUNDS: usize = 3;

    /// Starts a run of each group that has such partitions. Returns the runs.
    async fn start_runs(
        deployment: &Deployment,
        definitions: &Arc<Definitions>,
        graphs: usize,
        partitions: &str,
    ) -> Vec<RunId> {
        let state: Arc<dyn StateStore> = Arc::new(deployment.state.clone());
        let mut runs = Vec::new();
        for group in component_groups(graphs) {
            let request = RequestedWork {
                selection: format!("group:{group}"),
                partitions: Some(partitions.to_owned()),
                ..RequestedWork::default()
            };
            if plan_work(definitions, &state, &request).await.is_none() {
                continue;
            }
            let id = new_run_id(&SystemClock, &SystemRandomness);
            let input = StartInput {
                select: request.selection,
                partitions: request.partitions,
                ..StartInput::default()
            };
            deployment.start_run(id, &input).await;
            runs.push(id);
        }
        runs
    }

    /// Waits for the recorded end of a run, and returns whether its execution ended by itself. `None` if
    /// the execution ended before it recorded a run.
    async fn await_run(deployment: &Deployment, id: RunId) -> Option<(Run, bool)> {
        let execution = await_execution(deployment, id).await;
        for poll in 0..POLLS {
            if poll == POLLS / 2 {
                // The function that records the end has aborted in all of Lambda's attempts, and left a
                // dead letter. The command `run` records the end then.
                deployment.run_command(&["run", &id.to_string()]);
            }
            let run = deployment.state.find_run(id).await.unwrap()?;
            if run.status.is_finished() {
                let ended_by_itself = execution.status == ExecutionStatus::Succeeded
                    || execution.error.as_deref() == Some("Precip.RunFailed");
                return Some((run, ended_by_itself));
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        panic!("run {id} has no recorded end: {execution:?}");
    }

    /// Reads published data until `over`: each value is complete, and the recorded one. Returns the number
    /// of reads.
    async fn read_continuously(reader: Reader, over: Arc<AtomicBool>) -> u32 {
        let mut reads = 0;
        while !over.load(Ordering::Relaxed) {
            for (target, published) in reader.list_published().await {
                let Some(published) = published else { continue };
                let stored = reader.load_value(&published.pointer).await;
                assert_eq!(stored, published.value, "{target} of {published:?}");
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

    /// A reader of all published data.
    struct Reader {
        state: Arc<dyn StateStore>,
        definitions: Arc<Definitions>,
        graphs: usize,
        aws: Aws,
        bucket: String,
    }

    impl Reader {
        async fn list_published(&self) -> Vec<(String, Option<Published>)> {
            let mut all = Vec::new();
            for group in component_groups(self.graphs) {
                all.extend(read_published(&self.state, &self.definitions, &group).await);
            }
            all
        }

        async fn load_value(&self, pointer: &str) -> Option<i64> {
            let key = format!("data/{pointer}");
            let object = self.aws.s3().get_object().bucket(&self.bucket).key(key);
            let object = object.send().await.expect("published data exists");
            let bytes = object.body.collect().await.unwrap().into_bytes();
            serde_json::from_slice(&bytes).unwrap()
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn outages_neither_lose_nor_repeat_a_partition() {
        let seed = number_variable("PRECIP_TEST_SEED").unwrap_or(3);
        let graphs = number_variable("PRECIP_TEST_GRAPHS").unwrap_or(GRAPHS);
        let project = random_project(seed, graphs, Trouble::Outages);
        let definitions = Arc::new(declare_project(project.clone()).unwrap());
        let (proxy, folder) = (Proxy::start_failing(), tempfile::tempdir().unwrap());
        // This proxy adds the length of answers, which the other leaves out and clients of S3 expect.
        let rights = RightsProxy::start_proxy(Some(&proxy.endpoint()));
        let life = folder.path().join("life");
        fs::write(&life, MEAN_LIFE).unwrap();
        let variables = [
            rights.proxy_variable(),
            (MEAN_LIFE_FILE, life.display().to_string()),
        ];
        let deployment = Deployment::deploy(PROGRAM, "outages", &project, &variables).await;
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
            bucket: deployment.bucket().to_owned(),
        };
        let reading = tokio::spawn(read_continuously(reader, Arc::clone(&over)));

        let mut runs = start_runs(&deployment, &definitions, graphs, "all").await;
        assert_eq!(runs.len(), graphs);
        let (mut unstarted, mut broken) = (0, 0);
        for id in &runs {
            let Some((run, ended_by_itself)) = await_run(&deployment, *id).await else {
                unstarted += 1;
                continue;
            };
            if !ended_by_itself {
                // The planner aborted in all attempts: the run has failed, without the numbers of its items.
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
            for _ in 0..POLLS {
                let progress = state.run_progress(*id).await.unwrap();
                accounted = progress.succeeded + progress.failed + progress.skipped;
                if accounted == planned {
                    break;
                }
                // Projections of the table's stream arrive later.
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            if accounted != planned {
                let page = PageRequest::first(1_000);
                let latest = read_published(&state, &definitions, &group_of(&run)).await;
                panic!(
                    "seed {seed}: {run:?} ended, but not all is accounted for: of {planned} {:?}; failed {:?}; \
                     skipped {:?}; published {:?}; stored {latest:?}",
                    state.run_progress(*id).await.unwrap(),
                    state.run_failures(*id, &page).await.unwrap().items,
                    state.run_untried(*id).await.unwrap(),
                    state.published_by(*id).await.unwrap(),
                );
            }
        }

        assert!(
            unstarted + broken < graphs,
            "seed {seed}: no run ended by itself: {unstarted} never started, {broken} ended with their planner"
        );

        proxy.stop_failing();
        fs::remove_file(&life).unwrap();
        for _ in 0..ROUNDS {
            let more = start_runs(&deployment, &definitions, graphs, "missing").await;
            if more.is_empty() {
                break;
            }
            for id in &more {
                await_run(&deployment, *id).await;
            }
            runs.extend(more);
        }
        over.store(true, Ordering::Relaxed);
        let reads = reading.await.unwrap();
        assert_eq!(rights.refused_calls(), "[]");
        assert!(reads > 0, "nothing was read");
        let (mut partitions, mut later) = (0, 0);
        for group in component_groups(graphs) {
            let request = RequestedWork {
                selection: format!("group:{group}"),
                partitions: Some("all".to_owned()),
                ..RequestedWork::default()
            };
            let planned = laptop.plan_work(&request).await.unwrap();
            let id = new_run_id(&SystemClock, &SystemRandomness);
            laptop.run_plan(id, &request, &planned).await;
            let on_laptop = read_published(&laptop.state, &definitions, &group).await;
            let on_aws = read_published(&state, &definitions, &group).await;
            assert_eq!(on_aws.len(), on_laptop.len());
            for ((target, aws), (same, laptop)) in on_aws.iter().zip(&on_laptop) {
                assert_eq!(target, same);
                let (Some(aws), Some(laptop)) = (aws, laptop) else {
                    panic!("seed {seed}: {target} is lost: {aws:?}, on a laptop {laptop:?}");
                };
                assert_eq!(
                    aws.value,
                    laptop.value,
                    "seed {seed}: {target} {aws:?} in {}",
                    serde_json::to_string(&project.assets).unwrap()
                );
                partitions += 1;
                later += u32::from(aws.attempt > 1);
            }
            let twice = published_twice(&state, &definitions, &group).await;
            assert!(twice.is_empty(), "seed {seed}: {twice:?}");
        }
        println!(
            "seed {seed}: {graphs} projects, {} runs ({unstarted} never started, {broken} ended with their \
             planner), {partitions} partitions, {later} published by a later attempt, {reads} reads",
            runs.len()
        );
    }
}
