//! A deployed project without AWS: the states of the generated machine are entered in the order of
//! Step Functions, with invocations that are killed, repeated, and lost.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
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
        AccountSettings, CaughtError, Deadline, ExecutionRef, FailedStep, Finish, Finished,
        MaterializeRequest, Materializer, MemoryFiles, Mode, Planner, PlannerAnswer, PlannerError,
        PlannerRequest, RecordRequest, RunFiles, Settle, StageDocument, StartInput, WaveDocument,
    },
    run::{Clock, InlineOpRunner, RunPorts, Sleeper},
    run_id::RunId,
    state::{
        Latest, NewRun, PageRequest, PartitionRef, ReadConsistency, RequestedWork, Run, RunKey,
        RunOrigin, StateErrorKind, StateStore, TriggerId, TriggerKind,
        decorators::{FailCalls, Hooked, When},
        memory::MemoryStore,
    },
};
use serde_json::{Value, json};

use crate::{
    project::{SharedTrouble, simulated_definitions},
    world::{InstantSleeper, SeededRandomness, SteppingClock, poll_at_most},
};

/// The selection of everything but the asset that hangs.
pub(crate) const SELECTION: &str = "key:source+ and not key:hung";

/// Returns the input of an execution that runs all partitions of [`SELECTION`].
pub(crate) fn start_input() -> Value {
    json!({"select": SELECTION, "partitions": "all"})
}

/// A deployed project: its machine, functions, store and files, in one process.
pub(crate) struct Cloud {
    pub(crate) definitions: Arc<Definitions>,
    pub(crate) layout: Layout,
    pub(crate) store: Arc<dyn StateStore>,
    pub(crate) files: Arc<dyn RunFiles>,
    pub(crate) data: Arc<dyn IoManager>,
    pub(crate) trouble: SharedTrouble,
    pub(crate) clock: SteppingClock,
    sleeper: Arc<dyn Sleeper>,
    randomness: SeededRandomness,
    pub(crate) dice: fastrand::Rng,
    /// One store in so many has failing calls, and one invocation in so many is repeated or lost;
    /// none if it is 0.
    pub(crate) bad_luck: u32,
    /// The execution's name.
    pub(crate) execution: &'static str,
    /// The number of redrives of the execution.
    pub(crate) redrive: u32,
}

impl Cloud {
    /// Creates a deployment with an empty store in memory.
    pub(crate) fn new(seed: u64) -> Self {
        let stored = Stored {
            store: Arc::new(MemoryStore::new()),
            data: Arc::new(MemoryIoManager::new()),
            files: Arc::new(MemoryFiles::default()),
            sleeper: Arc::new(InstantSleeper::default()),
        };
        Self::open(seed, stored)
    }

    /// Creates a deployment on what was stored before.
    pub(crate) fn open(seed: u64, stored: Stored) -> Self {
        let trouble = SharedTrouble::new(seed);
        let Stored {
            store,
            data,
            files,
            sleeper,
        } = stored;
        let definitions = Arc::new(simulated_definitions(&trouble, Arc::clone(&data)));
        Self {
            layout: Layout::from_graph(definitions.graph()).unwrap(),
            definitions,
            store,
            files,
            data,
            trouble,
            clock: SteppingClock::default(),
            sleeper,
            randomness: SeededRandomness::new(seed),
            dice: fastrand::Rng::with_seed(seed),
            bad_luck: 0,
            execution: "1",
            redrive: 0,
        }
    }

    /// Draws whether bad luck strikes.
    fn draw_bad_luck(&mut self) -> bool {
        self.bad_luck > 0 && self.dice.u32(0..self.bad_luck) == 0
    }

    /// Opens the store for a function. With bad luck some calls fail, before or after their effect.
    fn open_state(&mut self) -> Arc<dyn StateStore> {
        let store = Arc::clone(&self.store);
        if !self.draw_bad_luck() {
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

    pub(crate) fn new_planner(&mut self) -> Planner {
        let state = self.open_state();
        Planner::new(
            Arc::clone(&self.definitions),
            state,
            Arc::clone(&self.files),
            Arc::new(self.clock.clone()),
            Arc::new(self.randomness.clone()),
        )
        .unwrap()
    }

    fn new_materializer(&mut self) -> Materializer {
        let ports = RunPorts {
            clock: Arc::new(self.clock.clone()),
            randomness: Arc::new(self.randomness.clone()),
            ..RunPorts::system(
                self.open_state(),
                Arc::clone(&self.sleeper),
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

    /// Calls the planner as a state does: with retries, and with bad luck twice.
    async fn call_planner(
        &mut self,
        request: &PlannerRequest,
    ) -> Result<PlannerAnswer, PlannerError> {
        for _ in 0..50 {
            if self.draw_bad_luck() {
                // The answer is lost, so that the machine calls again.
                let _ = self.new_planner().handle_request(request.clone()).await;
            }
            match self.new_planner().handle_request(request.clone()).await {
                Err(error) if error.name() == "Precip.Platform" => {}
                answer => return answer,
            }
        }
        panic!("the planner never answers {request:?}");
    }

    /// Calls the planner for a wave.
    pub(crate) async fn request_wave(
        &mut self,
        request: &PlannerRequest,
    ) -> Result<WaveDocument, PlannerError> {
        match self.call_planner(request).await? {
            PlannerAnswer::Wave(wave) => Ok(wave),
            other => panic!("{other:?} is not a wave"),
        }
    }

    /// Calls the planner at the end of a wave, for the next one.
    pub(crate) async fn request_next_wave(
        &mut self,
        wave: &WaveDocument,
    ) -> Result<WaveDocument, PlannerError> {
        let settle = Settle {
            run: wave.run,
            mode: wave.mode,
            wave: wave.wave,
            redrive: wave.redrive,
            functions_at_once: Some(wave.functions_at_once),
            looped: false,
            stage: None,
        };
        self.request_wave(&PlannerRequest::Settle(settle)).await
    }

    pub(crate) fn execution_ref(&self) -> ExecutionRef {
        ExecutionRef {
            id: format!("arn:execution:{}", self.execution),
            name: self.execution.to_owned(),
            redrive: self.redrive,
        }
    }

    /// Returns the first request of an execution with this input.
    pub(crate) fn plan_request(&self, input: Value) -> PlannerRequest {
        PlannerRequest::Plan {
            input,
            execution: self.execution_ref(),
            account: AccountSettings::default(),
            looped: false,
        }
    }

    /// Runs an execution to its end. With [`Mode::Distributed`] its items are in manifests, however
    /// few they are.
    pub(crate) async fn run_machine(
        &mut self,
        input: Value,
        mode: Option<Mode>,
    ) -> Result<Finished, PlannerError> {
        let plan = self.plan_request(input);
        let mut wave = self.request_wave(&plan).await?;
        if let (Some(Mode::Distributed), Mode::Inline) = (mode, wave.mode) {
            wave = self.move_items_to_manifests(wave).await;
        }
        self.run_waves(wave).await
    }

    /// Moves the items of a wave to manifests, as in a large run.
    pub(crate) async fn move_items_to_manifests(&self, mut wave: WaveDocument) -> WaveDocument {
        wave.mode = Mode::Distributed;
        for (name, stage) in &mut wave.stages {
            let key = format!("runs/{}/first/{name}.jsonl", wave.run);
            let rows =
                precip_core::machine::divide_into_rows(stage.items.take().unwrap(), 40, false);
            let row = |items| serde_json::to_string(&Row::<Item> { items }).unwrap();
            let lines: Vec<String> = rows.into_iter().map(row).collect();
            let content = lines.join("\n").into();
            self.files.write_file(&key, content).await.unwrap();
            stage.key = Some(key);
        }
        wave
    }

    /// Runs the waves of a run from this one on, to the end of the execution.
    pub(crate) async fn run_waves(
        &mut self,
        first: WaveDocument,
    ) -> Result<Finished, PlannerError> {
        let mut wave = first;
        loop {
            let stages: Vec<LayoutStage> = self
                .layout
                .stages_of_wave(wave.wave)
                .map(|(_, stage)| stage.clone())
                .collect();
            for stage in stages {
                if let Some(work) = wave.stages.get(&stage.name).cloned() {
                    for item in self.read_items(&work).await {
                        self.run_item(&wave, &stage, item).await;
                    }
                }
            }
            if wave.wave + 1 < self.layout.wave_count() {
                wave = self.request_next_wave(&wave).await?;
                continue;
            }
            let finished = self
                .request_finish(wave.run, wave.mode, wave.redrive)
                .await?;
            match finished.document {
                Some(again) => wave = again,
                None => return Ok(finished),
            }
        }
    }

    async fn request_finish(
        &mut self,
        run: RunId,
        mode: Mode,
        redrive: u32,
    ) -> Result<Finished, PlannerError> {
        let finish = Finish {
            run,
            mode,
            redrive,
            functions_at_once: Some(800),
            again: false,
            execution: self.execution_ref(),
            looped: false,
        };
        match self.call_planner(&PlannerRequest::Finish(finish)).await? {
            PlannerAnswer::Finished(finished) => Ok(finished),
            other => panic!("{other:?} is not an end"),
        }
    }

    /// Redrives the execution of a failed run: it enters its last state again.
    pub(crate) async fn redrive_run(
        &mut self,
        run: RunId,
        mode: Mode,
    ) -> Result<Finished, PlannerError> {
        let earlier_redrives = self.redrive;
        self.redrive += 1;
        let finished = self.request_finish(run, mode, earlier_redrives).await?;
        match finished.document {
            Some(left) => self.run_waves(left).await,
            None => Ok(finished),
        }
    }

    /// Reads the items of a stage, inline or from its manifest.
    pub(crate) async fn read_items(&self, work: &StageDocument) -> Vec<Item> {
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

    /// Takes an item through the steps of its stage. A step that fails is recorded, and the machine
    /// goes on with what the planner leaves of the item.
    async fn run_item(&mut self, wave: &WaveDocument, stage: &LayoutStage, item: Item) {
        if self.draw_bad_luck() && self.draw_bad_luck() {
            // The child execution is stopped before its first step.
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
                if let Err(error) = self.run_task(request, retry).await {
                    let record = RecordRequest {
                        run: wave.run,
                        stage: stage.name.clone(),
                        item: item.clone(),
                        failed: FailedStep::Named {
                            failed: [(step.name.clone(), error)].into(),
                        },
                        redrive: None,
                    };
                    let record = PlannerRequest::Record(Box::new(record));
                    match self.call_planner(&record).await.unwrap() {
                        PlannerAnswer::Item(left) => item = left.item,
                        other => panic!("{other:?} is not an item"),
                    }
                    continue 'over;
                }
            }
            return;
        }
    }

    /// Runs a Task state with its `Retry`.
    async fn run_task(
        &mut self,
        mut request: MaterializeRequest,
        retry: Option<RetryPolicy>,
    ) -> Result<(), CaughtError> {
        let max_retries = retry.map_or(0, |retry| retry.max_retries);
        // Each rule of a `Retry` counts its own retries.
        let (mut policy_retries, mut lambda_retries) = (0, 0);
        loop {
            let error = match self.invoke_step(&request).await {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            match error.error.as_str() {
                "Precip.Retryable" | "Precip.Timeout" | "Precip.Panic"
                    if policy_retries < max_retries =>
                {
                    policy_retries += 1;
                }
                "Lambda.Unknown" | "Precip.PoolFull" | "Precip.Platform" if lambda_retries < 20 => {
                    lambda_retries += 1;
                }
                _ => return Err(error),
            }
            request.retry += 1;
        }
    }

    /// Invokes the materializer for one step. With bad luck an invocation before it is killed.
    pub(crate) async fn invoke_step(
        &mut self,
        request: &MaterializeRequest,
    ) -> Result<(), CaughtError> {
        let minute = Deadline(Duration::from_secs(59));
        if self.draw_bad_luck() {
            let polls = self.dice.u32(1..60);
            let materializer = self.new_materializer();
            let work = materializer.run_step(request, minute);
            if poll_at_most(polls, work).await.is_none() {
                return Err(CaughtError {
                    error: "Lambda.Unknown".to_owned(),
                    cause: "the process was killed".to_owned(),
                });
            }
        }
        let answer = self.new_materializer().run_step(request, minute).await;
        answer.map(drop).map_err(|error| CaughtError {
            error: error.name().to_owned(),
            cause: json!({"errorType": error.name(), "errorMessage": error.to_string()})
                .to_string(),
        })
    }

    /// Returns the partitions that a run has published.
    pub(crate) async fn list_published(&self, run: RunId) -> Vec<String> {
        let mut found = Vec::new();
        for asset in ["source", "left", "right", "joined"] {
            for ordinal in 0..8_u64 {
                let key = (ordinal + 1).to_string();
                let target = PartitionRef::new(asset.parse().unwrap(), key.as_str(), ordinal);
                let latest = self.find_latest(&target).await;
                if latest.is_some_and(|latest| latest.is_published_by(run)) {
                    found.push(target.to_string());
                }
            }
        }
        let total = PartitionRef::unpartitioned("total".parse().unwrap());
        let latest = self.find_latest(&total).await;
        if latest.is_some_and(|latest| latest.is_published_by(run)) {
            found.push("total".to_owned());
        }
        found
    }

    async fn find_latest(&self, target: &PartitionRef) -> Option<Latest> {
        self.store
            .latest_materialization(target, ReadConsistency::Strong)
            .await
            .unwrap()
    }

    /// Lists the runs, newest first.
    pub(crate) async fn list_runs(&self) -> Vec<Run> {
        let page = PageRequest::first(10);
        self.store
            .list_runs(&Default::default(), &page)
            .await
            .unwrap()
            .items
    }

    /// Returns the only run.
    pub(crate) async fn only_run(&self) -> Run {
        let mut runs = self.list_runs().await;
        assert_eq!(runs.len(), 1, "one execution is one run");
        runs.remove(0)
    }
}

/// The stores that outlive the functions of a deployment, and the sleeper that they wait with.
pub(crate) struct Stored {
    pub(crate) store: Arc<dyn StateStore>,
    pub(crate) data: Arc<dyn IoManager>,
    pub(crate) files: Arc<dyn RunFiles>,
    pub(crate) sleeper: Arc<dyn Sleeper>,
}

/// Records a run as a sensor does.
pub(crate) async fn queue_run(
    cloud: &Cloud,
    id: &str,
    selection: &str,
    partitions: Option<&str>,
) -> RunId {
    let id: RunId = id.parse().unwrap();
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
    cloud.store.create_run(new).await.unwrap();
    id
}

/// Executions without machines: their statuses are set by the test.
#[derive(Debug, Default)]
pub(crate) struct Console(Mutex<BTreeMap<String, ExecutionStatus>>);

impl Console {
    /// Sets the status of an execution.
    pub(crate) fn set_status(&self, name: &str, status: ExecutionStatus) {
        let mut known = self.0.lock().unwrap();
        known.insert(format!("arn:execution:{name}"), status);
    }
}

#[async_trait]
impl Executions for Console {
    async fn start_execution(
        &self,
        name: &str,
        _: &StartInput,
    ) -> Result<StartOutcome, ExecutionError> {
        self.set_status(name, ExecutionStatus::Running);
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
