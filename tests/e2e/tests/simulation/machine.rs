//! Runs on a generated machine: its states are played here, in the order in which Step Functions
//! would enter them, with invocations that are killed, repeated, and lost.

mod redeployed;

use std::{sync::Arc, time::Duration};

use precip::io::MemoryIoManager;
use precip_core::{
    machine::{Item, Layout, LayoutStage, Row},
    spec::RetryPolicy,
};
use precip_engine::{
    definitions::Definitions,
    deployment::{Execution, ExecutionError, ExecutionStatus, Executions, StartOutcome},
    io::IoManager,
    machine::{
        CaughtError, Deadline, ExecutionRef, FailedStep, Finish, Finished, MaterializeRequest,
        Materializer, MemoryFiles, Mode, Planner, PlannerAnswer, PlannerError, PlannerRequest,
        RecordRequest, RunFiles, Settle, StageDocument, StartInput, WaveDocument,
    },
    run::{Clock, InlineOpRunner, RunPorts},
    run_id::RunId,
    state::{
        NewRun, PageRequest, PartitionRef, ReadConsistency, RequestedWork, Run, RunKey, RunOrigin,
        RunStatus, StateErrorKind, StateStore, TriggerId, TriggerKind,
        decorators::{FailCalls, Hooked, When},
        memory::MemoryStore,
    },
};
use serde_json::{Value, json};

use crate::{
    project::{Shared, definitions},
    world::{Impatient, ResolvedSchedule, Seeded, in_one_thread},
};

/// A project on AWS, as far as one process can be that.
struct Cloud {
    definitions: Arc<Definitions>,
    layout: Layout,
    store: MemoryStore,
    files: Arc<dyn RunFiles>,
    data: Arc<dyn IoManager>,
    trouble: Shared,
    clock: ResolvedSchedule,
    chance: Seeded,
    dice: fastrand::Rng,
    /// One call of the record in so many fails, and one invocation in so many is repeated or lost.
    bad_luck: u32,
    /// The execution's name.
    execution: &'static str,
    /// How often it was redriven.
    redrive: u32,
}

impl Cloud {
    fn new(seed: u64) -> Self {
        let trouble = Shared::new(seed);
        let data: Arc<dyn IoManager> = Arc::new(MemoryIoManager::new());
        let definitions = Arc::new(definitions(&trouble, Arc::clone(&data)));
        Self {
            layout: Layout::from_graph(definitions.graph()).unwrap(),
            definitions,
            store: MemoryStore::new(),
            files: Arc::new(MemoryFiles::default()),
            data,
            trouble,
            clock: ResolvedSchedule::default(),
            chance: Seeded::new(seed),
            dice: fastrand::Rng::with_seed(seed),
            bad_luck: 0,
            execution: "1",
            redrive: 0,
        }
    }

    fn strikes(&mut self) -> bool {
        self.bad_luck > 0 && self.dice.u32(0..self.bad_luck) == 0
    }

    /// The record as the next process sees it: some calls fail, before or after they did their work.
    fn state(&mut self) -> Arc<dyn StateStore> {
        let store: Arc<dyn StateStore> = Arc::new(self.store.clone());
        if !self.strikes() {
            return store;
        }
        let faults = FailCalls::default();
        for call in [
            "commit_materializations",
            "record_failures",
            "latest_materializations",
            "change_run",
            "record_untried",
            "create_run",
        ] {
            let when = [When::Before, When::After][self.dice.usize(0..2)];
            faults.fail_calls(call, when, self.dice.u64(0..2), 8, StateErrorKind::Retry);
        }
        Arc::new(Hooked::new(store, faults))
    }

    fn planner(&mut self) -> Planner {
        let state = self.state();
        Planner::new(
            Arc::clone(&self.definitions),
            state,
            Arc::clone(&self.files),
            Arc::new(self.clock.clone()),
            Arc::new(self.chance.clone()),
        )
        .unwrap()
    }

    fn materializer(&mut self) -> Materializer {
        let ports = RunPorts {
            clock: Arc::new(self.clock.clone()),
            randomness: Arc::new(self.chance.clone()),
            ..RunPorts::system(
                self.state(),
                Arc::new(Impatient::default()),
                Arc::new(InlineOpRunner),
            )
        };
        let environment = self.definitions.environments()[0].clone();
        let settings = Arc::new(std::collections::BTreeMap::new());
        let platform = Arc::new(MemoryIoManager::new());
        let definitions = Arc::clone(&self.definitions);
        let files = Arc::clone(&self.files);
        Materializer::new(definitions, ports, files, environment, settings, platform).unwrap()
    }

    /// A state that calls the planner: tried again as the machine does, and sometimes called twice.
    async fn ask(&mut self, request: &PlannerRequest) -> Result<PlannerAnswer, PlannerError> {
        for _ in 0..50 {
            if self.strikes() {
                // Its answer is lost.
                let _ = self.planner().handle_request(request.clone()).await;
            }
            match self.planner().handle_request(request.clone()).await {
                Err(error) if error.name() == "Precip.Retryable" => {}
                answer => return answer,
            }
        }
        panic!("the planner never answers {request:?}");
    }

    async fn wave(&mut self, request: &PlannerRequest) -> Result<WaveDocument, PlannerError> {
        match self.ask(request).await? {
            PlannerAnswer::Wave(wave) => Ok(wave),
            other => panic!("{other:?} is no wave"),
        }
    }

    fn execution(&self) -> ExecutionRef {
        ExecutionRef {
            id: format!("arn:execution:{}", self.execution),
            name: self.execution.to_owned(),
            redrive: self.redrive,
        }
    }

    fn plan_request(&self, input: Value) -> PlannerRequest {
        PlannerRequest::Plan {
            input,
            execution: self.execution(),
            looped: false,
        }
    }

    async fn run(&mut self, input: Value, mode: Option<Mode>) -> Result<Finished, PlannerError> {
        let plan = self.plan_request(input);
        let mut wave = self.wave(&plan).await?;
        if let (Some(Mode::Distributed), Mode::Inline) = (mode, wave.mode) {
            wave = self.as_manifests(wave).await;
        }
        self.waves(wave).await
    }

    /// The first wave of a run that is larger than it is.
    async fn as_manifests(&self, mut wave: WaveDocument) -> WaveDocument {
        wave.mode = Mode::Distributed;
        for (name, stage) in &mut wave.stages {
            let key = format!("runs/{}/first/{name}.jsonl", wave.run);
            let rows = precip_core::machine::divide_into_rows(stage.items.take().unwrap(), false);
            let row = |items| serde_json::to_string(&Row::<Item> { items }).unwrap();
            let lines: Vec<String> = rows.into_iter().map(row).collect();
            let content = lines.join("\n").into();
            self.files.write_file(&key, content).await.unwrap();
            stage.key = Some(key);
        }
        wave
    }

    async fn waves(&mut self, first: WaveDocument) -> Result<Finished, PlannerError> {
        let mut wave = first;
        loop {
            let stages: Vec<LayoutStage> = self
                .layout
                .stages_of_wave(wave.wave)
                .map(|(_, stage)| stage.clone())
                .collect();
            for stage in stages {
                if let Some(work) = wave.stages.get(&stage.name).cloned() {
                    for item in self.items(&work).await {
                        self.item(&wave, &stage, item).await;
                    }
                }
            }
            if wave.wave + 1 < self.layout.wave_count() {
                let settle = Settle {
                    run: wave.run,
                    mode: wave.mode,
                    wave: wave.wave,
                    redrive: wave.redrive,
                    looped: false,
                    stage: None,
                };
                wave = self.wave(&PlannerRequest::Settle(settle)).await?;
                continue;
            }
            let finished = self.finish(wave.run, wave.mode, wave.redrive).await?;
            match finished.document {
                Some(again) => wave = again,
                None => return Ok(finished),
            }
        }
    }

    async fn finish(
        &mut self,
        run: RunId,
        mode: Mode,
        redrive: u32,
    ) -> Result<Finished, PlannerError> {
        let finish = Finish {
            run,
            mode,
            redrive,
            again: false,
            execution: self.execution(),
            looped: false,
        };
        match self.ask(&PlannerRequest::Finish(finish)).await? {
            PlannerAnswer::Finished(finished) => Ok(finished),
            other => panic!("{other:?} is no end"),
        }
    }

    /// What a person's redrive does after `before` others: the machine comes back to its end.
    async fn redrive(&mut self, run: RunId, mode: Mode) -> Result<Finished, PlannerError> {
        let before = self.redrive;
        self.redrive += 1;
        let finished = self.finish(run, mode, before).await?;
        match finished.document {
            Some(left) => self.waves(left).await,
            None => Ok(finished),
        }
    }

    async fn items(&self, work: &StageDocument) -> Vec<Item> {
        if let Some(items) = &work.items {
            return items.clone();
        }
        let content = self
            .files
            .read_file(work.key.as_ref().unwrap())
            .await
            .unwrap();
        let text = String::from_utf8(content.unwrap()).unwrap();
        let rows = text
            .lines()
            .map(|line| serde_json::from_str::<Row>(line).unwrap());
        rows.flat_map(|row| row.items).collect()
    }

    async fn item(&mut self, wave: &WaveDocument, stage: &LayoutStage, item: Item) {
        if self.strikes() && self.strikes() {
            // The child execution is stopped before it began.
            return;
        }
        let mut item = item;
        'over: loop {
            for step in &stage.steps {
                if !item.steps.contains_key(&step.name) {
                    continue;
                }
                let request = MaterializeRequest {
                    run: wave.run,
                    stage: stage.name.clone(),
                    step: step.name.clone(),
                    item: item.clone(),
                    retry: 0,
                    looped: false,
                };
                let retry = self.definitions.op_named(&step.op).unwrap().spec.retry;
                if let Err(error) = self.step(request, retry).await {
                    let record = RecordRequest {
                        run: wave.run,
                        stage: stage.name.clone(),
                        item: item.clone(),
                        failed: FailedStep::Named {
                            failed: [(step.name.clone(), error)].into(),
                        },
                        redrive: wave.redrive,
                    };
                    let record = PlannerRequest::Record(Box::new(record));
                    match self.ask(&record).await.unwrap() {
                        PlannerAnswer::Item(left) => item = left.item,
                        other => panic!("{other:?} is no item"),
                    }
                    continue 'over;
                }
            }
            return;
        }
    }

    /// A Task with its `Retry`.
    async fn step(
        &mut self,
        mut request: MaterializeRequest,
        retry: Option<RetryPolicy>,
    ) -> Result<(), CaughtError> {
        let most = retry.map_or(0, |retry| retry.max_retries);
        let (mut of_policy, mut of_lambda) = (0, 0);
        loop {
            let error = match self.invoke(&request).await {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            match error.error.as_str() {
                "Precip.Retryable" | "Precip.Timeout" | "Precip.Panic" if of_policy < most => {
                    of_policy += 1;
                }
                "Lambda.Unknown" | "Precip.PoolFull" if of_lambda < 20 => of_lambda += 1,
                _ => return Err(error),
            }
            request.retry += 1;
        }
    }

    /// One invocation: it may be killed anywhere, and it may come twice.
    async fn invoke(&mut self, request: &MaterializeRequest) -> Result<(), CaughtError> {
        let minute = Deadline(Duration::from_secs(59));
        if self.strikes() {
            let polls = self.dice.u32(1..60);
            let materializer = self.materializer();
            let mut work = std::pin::pin!(materializer.run_step(request, minute));
            let mut left = polls;
            let ended = std::future::poll_fn(|context| {
                if left == 0 {
                    return std::task::Poll::Ready(false);
                }
                left -= 1;
                work.as_mut().poll(context).map(|_| true)
            });
            if !ended.await {
                return Err(CaughtError {
                    error: "Lambda.Unknown".to_owned(),
                    cause: "the process was killed".to_owned(),
                });
            }
        }
        let answer = self.materializer().run_step(request, minute).await;
        answer.map(drop).map_err(|error| CaughtError {
            error: error.name().to_owned(),
            cause: json!({"errorType": error.name(), "errorMessage": error.to_string()})
                .to_string(),
        })
    }

    async fn published_by(&self, run: RunId) -> Vec<String> {
        let mut found = Vec::new();
        for asset in ["source", "left", "right", "joined"] {
            for ordinal in 0..8_u64 {
                let key = (ordinal + 1).to_string();
                let target = PartitionRef::new(asset.parse().unwrap(), key.as_str(), ordinal);
                let latest = self.store_latest(&target).await;
                if latest.is_some_and(|latest| latest.is_published_by(run)) {
                    found.push(target.to_string());
                }
            }
        }
        let total = PartitionRef::unpartitioned("total".parse().unwrap());
        let latest = self.store_latest(&total).await;
        if latest.is_some_and(|latest| latest.is_published_by(run)) {
            found.push("total".to_owned());
        }
        found
    }

    async fn store_latest(&self, target: &PartitionRef) -> Option<precip_engine::state::Latest> {
        let store: &dyn StateStore = &self.store;
        store
            .latest_materialization(target, ReadConsistency::Strong)
            .await
            .unwrap()
    }

    /// Newest first.
    async fn runs(&self) -> Vec<Run> {
        let store: &dyn StateStore = &self.store;
        let page = PageRequest::first(10);
        store
            .list_runs(&Default::default(), &page)
            .await
            .unwrap()
            .items
    }

    async fn only_run(&self) -> Run {
        let mut runs = self.runs().await;
        assert_eq!(runs.len(), 1, "one execution is one run");
        runs.remove(0)
    }
}

const INPUT: &str = "key:source+ and not key:hung";

fn input() -> Value {
    json!({"select": INPUT, "partitions": "all"})
}

#[test]
fn a_machine_makes_what_the_plan_says() {
    for mode in [Mode::Inline, Mode::Distributed] {
        in_one_thread(async {
            let mut cloud = Cloud::new(1);
            let done = cloud.run(input(), Some(mode)).await.unwrap();
            assert!(!done.again);
            let run = cloud.only_run().await;
            assert_eq!(run.status, RunStatus::Succeeded);
            assert_eq!(cloud.published_by(run.id).await.len(), 33);
            let calls = cloud.trouble.0.lock().unwrap().calls.clone();
            assert!(calls.values().all(|count| *count == 1), "{calls:?}");
        });
    }
}

#[test]
fn what_depends_on_a_failure_does_not_run_and_everything_else_does() {
    in_one_thread(async {
        let mut cloud = Cloud::new(2);
        cloud.trouble.0.lock().unwrap().certain = vec!["left[3]".to_owned()];
        let error = cloud.run(input(), None).await.unwrap_err();
        assert_eq!(error.name(), "Precip.RunFailed");
        let run = cloud.only_run().await;
        let said = format!(
            "run {}: 1 failed, and 3 depend on those; `run {}` shows the failures, `retry {}` or a \
             redrive of this execution runs the rest",
            run.id, run.id, run.id
        );
        assert_eq!(error.to_string(), said);
        assert_eq!(run.status, RunStatus::Failed);
        let made = cloud.published_by(run.id).await;
        // The check of `joined[3]` is held back as well, and makes nothing.
        assert_eq!(made.len(), 33 - 3, "{made:?}");
        assert!(!made.contains(&"joined[3]".to_owned()) && !made.contains(&"total".to_owned()));
        let store: &dyn StateStore = &cloud.store;
        let failures = store
            .run_failures(run.id, &PageRequest::first(5))
            .await
            .unwrap();
        assert_eq!(failures.items.len(), 1);
        assert_eq!(failures.items[0].message, "certain to fail");

        // A redrive comes back to the state that failed.
        cloud.trouble.0.lock().unwrap().certain.clear();
        cloud.trouble.0.lock().unwrap().calls.clear();
        cloud.redrive(run.id, Mode::Inline).await.unwrap();
        let calls = cloud.trouble.0.lock().unwrap().calls.clone();
        let again: Vec<&str> = calls.keys().map(String::as_str).collect();
        assert_eq!(again, ["joined[3]", "left[3]", "total[]"]);
        assert_eq!(cloud.only_run().await.status, RunStatus::Succeeded);
    });
}

#[test]
fn a_bad_input_is_answered_and_leaves_nothing() {
    in_one_thread(async {
        let mut cloud = Cloud::new(3);
        let cases = [
            (json!("all"), "the input is a string, and must be an object"),
            (json!({"selection": "*"}), "did you mean `select`?"),
            (
                json!({"select": "*", "partitions": "1...9"}),
                "there is no partition `9`",
            ),
            (json!({"select": "sorce"}), "did you mean `source`?"),
            (
                json!({"select": "*", "partitions": 3}),
                "`partitions` cannot be read",
            ),
        ];
        for (input, expected) in cases {
            let error = cloud.run(input, None).await.unwrap_err();
            assert_eq!(error.name(), "Precip.BadInput");
            let said = error.to_string();
            assert!(said.contains(expected), "{said}");
        }
        let store: &dyn StateStore = &cloud.store;
        let runs = store
            .list_runs(&Default::default(), &PageRequest::first(1))
            .await
            .unwrap();
        assert!(runs.items.is_empty());
    });
}

#[test]
fn the_same_key_starts_one_run() {
    in_one_thread(async {
        let mut cloud = Cloud::new(4);
        let input = json!({"select": "source", "partitions": "1,2", "run_key": "k"});
        cloud.run(input.clone(), None).await.unwrap();
        cloud.execution = "2";
        let plan = cloud.plan_request(input);
        let wave = cloud.wave(&plan).await.unwrap();
        assert_eq!(wave.mode, Mode::Nothing);
        let message = wave.message.unwrap();
        assert!(message.contains("was started already"), "{message}");
        cloud.only_run().await;
    });
}

/// A run that a trigger put on record.
async fn queued(cloud: &Cloud, id: &str, selection: &str, partitions: Option<&str>) -> RunId {
    let id: RunId = id.parse().unwrap();
    let store: &dyn StateStore = &cloud.store;
    let sensor = TriggerId::new(TriggerKind::Sensor, "landing");
    let new = NewRun {
        id,
        key: Some(RunKey::from_trigger(&sensor, &id.to_string())),
        request: RequestedWork {
            selection: selection.to_owned(),
            partitions: partitions.map(str::to_owned),
            origin: RunOrigin::Trigger(sensor),
            ..RequestedWork::default()
        },
        plan: None,
        created_at: cloud.clock.now(),
    };
    store.create_run(new).await.unwrap();
    id
}

const QUEUED: &str = "01JDC0Z5V9M3T8Q4W2X7Y6R1KA";

#[test]
fn a_run_on_record_is_carried_out_by_one_execution() {
    for seed in 0..40 {
        in_one_thread(async {
            let mut cloud = Cloud::new(seed);
            let id = queued(&cloud, QUEUED, INPUT, Some("all")).await;
            // The planner is killed and asked again.
            cloud.bad_luck = 3;
            let input = json!({"run": QUEUED});
            cloud.execution = QUEUED;
            let plan = cloud.plan_request(input.clone());
            let wave = cloud.wave(&plan).await.unwrap();
            cloud.bad_luck = 0;
            assert_eq!((wave.run, wave.mode), (id, Mode::Inline));
            // Somebody starts it once more, from the console.
            cloud.execution = "by-hand";
            let again = cloud.plan_request(input.clone());
            let nothing = cloud.wave(&again).await.unwrap();
            assert_eq!(nothing.mode, Mode::Nothing);
            let message = nothing.message.unwrap();
            let by = format!("by the execution arn:execution:{QUEUED}");
            assert!(message.ends_with(&by), "{message}");
            cloud.execution = QUEUED;
            cloud.waves(wave).await.unwrap();
            let run = cloud.only_run().await;
            assert_eq!((run.id, run.status), (id, RunStatus::Succeeded));
            let plan = run.plan.unwrap();
            let made = cloud.published_by(id).await;
            assert_eq!(plan.items, u64::try_from(made.len()).unwrap(), "{made:?}");
            // And once more when it is over.
            let after = cloud.wave(&again).await.unwrap();
            assert_eq!(
                after.message.unwrap(),
                format!("run {id} was started already: it succeeded")
            );
        });
    }
}

#[test]
fn a_run_on_record_that_can_never_start_is_ended() {
    in_one_thread(async {
        let mut cloud = Cloud::new(3);
        let id = queued(&cloud, QUEUED, "sorce", Some("1")).await;
        cloud.execution = QUEUED;
        let plan = cloud.plan_request(json!({"run": QUEUED}));
        let error = cloud.wave(&plan).await.unwrap_err();
        assert_eq!(error.name(), "Precip.BadInput");
        let run = cloud.only_run().await;
        assert_eq!(run.status, RunStatus::Failed);
        assert_eq!(run.message, Some(error.to_string()));
        assert!(
            error.to_string().contains("did you mean `source`?"),
            "{error}"
        );

        // What it asked for can be retried all the same, once that makes sense.
        let retry = cloud.planner().plan_retry_of(id).await.unwrap_err();
        assert_eq!(retry.to_string(), error.to_string());

        for (input, expected) in [
            (
                json!({"run": "01JDC0Z5V9M3T8Q4W2X7Y6R1KB"}),
                "there is no run 01JDC0Z5V9M3T8Q4W2X7Y6R1KB",
            ),
            (
                json!({"run": QUEUED, "select": "*"}),
                "leave one of them out",
            ),
            (json!({"run": "last"}), "`last` is not a run id"),
        ] {
            let plan = cloud.plan_request(input);
            let said = cloud.wave(&plan).await.unwrap_err().to_string();
            assert!(said.contains(expected), "{said}");
        }
    });
}

#[test]
fn a_run_on_record_that_asks_for_nothing_is_over() {
    in_one_thread(async {
        let mut cloud = Cloud::new(4);
        cloud
            .run(json!({"select": "source", "partitions": "1"}), None)
            .await
            .unwrap();
        let id = queued(&cloud, QUEUED, "source", Some("missing:1")).await;
        cloud.execution = QUEUED;
        let plan = cloud.plan_request(json!({"run": QUEUED}));
        let wave = cloud.wave(&plan).await.unwrap();
        assert_eq!(
            (wave.mode, wave.message.as_deref()),
            (Mode::Nothing, Some("there was nothing to do"))
        );
        let store: &dyn StateStore = &cloud.store;
        let run = store.find_run(id).await.unwrap().unwrap();
        assert_eq!(run.status, RunStatus::Succeeded);
    });
}

/// Functions fail, calls of the record fail, invocations are killed, repeated and lost, child
/// executions are stopped: what the record says is true, and redrives bring the run to its end.
#[test]
fn whatever_happens_the_run_ends_with_the_truth() {
    let mut redriven = 0;
    for seed in 0..100 {
        in_one_thread(async {
            let mut cloud = Cloud::new(seed);
            let store = cloud.store.clone();
            let store: &dyn StateStore = &store;
            store.set_pool_limit("narrow", Some(2)).await.unwrap();
            cloud.bad_luck = 2 + cloud.dice.u32(2..20);
            cloud.trouble.0.lock().unwrap().one_in = cloud.dice.u32(8..60);
            let mode = [Mode::Inline, Mode::Distributed][cloud.dice.usize(0..2)];
            let mut ended = cloud.run(input(), Some(mode)).await;
            let run = cloud.only_run().await;
            for redrive in 1..=4 {
                let made = cloud.published_by(run.id).await;
                let status = cloud.only_run().await.status;
                match &ended {
                    Ok(_) => {
                        assert_eq!(
                            (made.len(), status),
                            (33, RunStatus::Succeeded),
                            "seed {seed}"
                        );
                        break;
                    }
                    Err(error) => {
                        assert_eq!(error.name(), "Precip.RunFailed", "seed {seed}: {error}");
                        assert_eq!(status, RunStatus::Failed, "seed {seed}");
                    }
                }
                redriven += 1;
                if redrive == 4 {
                    cloud.bad_luck = 0;
                    cloud.trouble.0.lock().unwrap().one_in = 0;
                }
                ended = cloud.redrive(run.id, mode).await;
            }
            assert!(ended.is_ok(), "seed {seed}: {ended:?}");
            let made = cloud.published_by(run.id).await;
            assert_eq!(made.len(), 33, "seed {seed}");
            let failures = store
                .run_failures(run.id, &PageRequest::first(5))
                .await
                .unwrap();
            assert!(failures.items.is_empty(), "seed {seed}: {failures:?}");
        });
    }
    assert!(redriven > 50, "too little went wrong: {redriven} redrives");
}

/// What the record says of executions, without any: each stands where a test puts it.
#[derive(Debug, Default)]
struct Console(std::sync::Mutex<std::collections::BTreeMap<String, ExecutionStatus>>);

impl Console {
    fn put(&self, name: &str, status: ExecutionStatus) {
        let mut known = self.0.lock().unwrap();
        known.insert(format!("arn:execution:{name}"), status);
    }
}

#[async_trait::async_trait]
impl Executions for Console {
    async fn start_execution(
        &self,
        name: &str,
        _: &StartInput,
    ) -> Result<StartOutcome, ExecutionError> {
        self.put(name, ExecutionStatus::Running);
        Ok(StartOutcome::Started(self.execution_arn(name)))
    }

    async fn describe_execution(&self, arn: &str) -> Result<Option<Execution>, ExecutionError> {
        let status = self.0.lock().unwrap().get(arn).copied();
        Ok(status.map(|status| Execution {
            arn: arn.to_owned(),
            name: arn.rsplit(':').next().unwrap().to_owned(),
            status,
            input: None,
            output: None,
            error: None,
            cause: None,
        }))
    }

    async fn stop_execution(&self, arn: &str, _: &str) -> Result<(), ExecutionError> {
        if let Some(status) = self.0.lock().unwrap().get_mut(arn) {
            *status = ExecutionStatus::Aborted;
        }
        Ok(())
    }

    fn execution_arn(&self, name: &str) -> String {
        format!("arn:execution:{name}")
    }
}

#[test]
fn a_retry_makes_what_a_run_left_and_only_that() {
    for mode in [Mode::Inline, Mode::Distributed] {
        in_one_thread(async {
            let mut cloud = Cloud::new(6);
            cloud.trouble.0.lock().unwrap().certain = vec!["left[3]".to_owned()];
            cloud.run(input(), Some(mode)).await.unwrap_err();
            let earlier = cloud.only_run().await;
            cloud.trouble.0.lock().unwrap().certain.clear();
            cloud.trouble.0.lock().unwrap().calls.clear();

            let again = json!({"retry_of": earlier.id.to_string()});
            cloud.execution = "2";
            cloud.run(again.clone(), Some(mode)).await.unwrap();
            let calls = cloud.trouble.0.lock().unwrap().calls.clone();
            let made: Vec<&str> = calls.keys().map(String::as_str).collect();
            assert_eq!(made, ["joined[3]", "left[3]", "total[]"]);
            let runs = cloud.runs().await;
            let retry = &runs[0];
            assert_eq!((runs.len(), retry.status), (2, RunStatus::Succeeded));
            let request = RequestedWork {
                origin: RunOrigin::RetryOf(earlier.id),
                ..earlier.request
            };
            assert_eq!(retry.request, request);
            assert_eq!(cloud.published_by(retry.id).await.len(), 3);

            // The retry left nothing, so a retry of that has nothing to do.
            cloud.execution = "3";
            let again = json!({"retry_of": retry.id.to_string()});
            let plan = cloud.plan_request(again);
            let wave = cloud.wave(&plan).await.unwrap();
            assert_eq!(wave.mode, Mode::Nothing);
            let said = format!("run {} left nothing to do", retry.id);
            assert_eq!(wave.message, Some(said));
            assert_eq!(cloud.runs().await.len(), 2);
        });
    }
}

#[test]
fn a_retry_that_makes_no_sense_is_refused() {
    in_one_thread(async {
        let mut cloud = Cloud::new(7);
        let plan = cloud.plan_request(input());
        let running = cloud.wave(&plan).await.unwrap().run.to_string();
        let cases = [
            (json!({"retry_of": running}), "is running, not finished"),
            (
                json!({"retry_of": "01JDC0Z5V9M3T8Q4W2X7Y6R1KA"}),
                "there is no run 01JDC0Z5V9M3T8Q4W2X7Y6R1KA",
            ),
            (json!({"retry_of": "last"}), "`last` is not a run id"),
            (
                json!({"retry_of": running, "partitions": "1"}),
                "leave one of them out",
            ),
            (json!({"retry": running}), "did you mean `retry_of`?"),
        ];
        cloud.execution = "2";
        for (input, expected) in cases {
            let plan = cloud.plan_request(input);
            let error = cloud.wave(&plan).await.unwrap_err();
            assert_eq!(error.name(), "Precip.BadInput");
            let said = error.to_string();
            assert!(said.contains(expected), "{said}");
        }
        assert_eq!(cloud.runs().await.len(), 1);
    });
}

#[test]
fn checks_are_left_out_when_the_input_says_so() {
    in_one_thread(async {
        let mut cloud = Cloud::new(8);
        let all = json!({"select": INPUT, "partitions": "all", "without_checks": true});
        cloud.run(all, None).await.unwrap();
        let run = cloud.only_run().await;
        assert_eq!(run.status, RunStatus::Succeeded);
        let store: &dyn StateStore = &cloud.store;
        let target = PartitionRef::new("joined".parse().unwrap(), "1", 0);
        assert!(store.latest_checks(&target).await.unwrap().is_empty());
    });
}

#[test]
fn a_canceled_run_says_so_once_its_execution_is_stopped() {
    in_one_thread(async {
        let mut cloud = Cloud::new(9);
        let console = Console::default();
        let plan = cloud.plan_request(input());
        cloud.wave(&plan).await.unwrap();
        let run = cloud.only_run().await;
        console.put("1", ExecutionStatus::Running);
        let planner = cloud.planner();
        let (patient, why) = (Impatient::default(), "canceled by command");
        let ended = planner
            .cancel_run(&run, &console, &patient, why)
            .await
            .unwrap();
        assert_eq!(ended.status, RunStatus::Canceled);
        assert_eq!(ended.message.as_deref(), Some(why));
        assert_eq!(cloud.only_run().await, ended);
        let stopped = console
            .describe_execution("arn:execution:1")
            .await
            .unwrap()
            .unwrap();
        assert_eq!(stopped.status, ExecutionStatus::Aborted);
        // Once more does no harm.
        let again = planner
            .cancel_run(&ended, &console, &patient, why)
            .await
            .unwrap();
        assert_eq!(again, ended);
    });
}

#[test]
fn a_run_whose_execution_is_gone_can_be_canceled() {
    in_one_thread(async {
        let mut cloud = Cloud::new(10);
        let plan = cloud.plan_request(input());
        cloud.wave(&plan).await.unwrap();
        let run = cloud.only_run().await;
        let planner = cloud.planner();
        let (console, patient) = (Console::default(), Impatient::default());
        let ended = planner.cancel_run(&run, &console, &patient, "enough");
        let ended = ended.await.unwrap();
        assert_eq!(ended.status, RunStatus::Canceled);
        assert_eq!(
            ended.message.as_deref(),
            Some("its execution does not exist")
        );
    });
}

#[test]
fn an_execution_that_ended_ends_its_run_and_no_other() {
    in_one_thread(async {
        let mut cloud = Cloud::new(11);
        let console = Console::default();
        let plan = cloud.plan_request(input());
        cloud.wave(&plan).await.unwrap();
        let run = cloud.only_run().await;
        let planner = cloud.planner();
        for (name, status, then) in [
            ("2", ExecutionStatus::TimedOut, RunStatus::Running),
            ("1", ExecutionStatus::TimedOut, RunStatus::Failed),
        ] {
            console.put(name, status);
            let ended = console
                .describe_execution(&console.execution_arn(name))
                .await
                .unwrap()
                .unwrap();
            let settled = planner.end_with_execution(&run, &ended).await.unwrap();
            assert_eq!(settled.status, then, "execution {name}");
        }
        assert_eq!(
            console.execution_of_run(&cloud.only_run().await),
            "arn:execution:1"
        );
    });
}
