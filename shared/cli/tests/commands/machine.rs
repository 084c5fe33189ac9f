//! [`Machine`]: a deployment in memory, whose executions do what the state machines do, sequentially.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use precip::io::MemoryIoManager;
use precip_cli::target::Deployment;
use precip_core::machine::{Layout, LayoutStage};
use precip_engine::{
    definitions::Definitions,
    deployment::{
        DeploymentExaminer, Execution, ExecutionError, ExecutionStatus, Executions, Finding,
        StartOutcome,
    },
    io::IoManager,
    machine::{
        AccountSettings, CaughtError, Deadline, ExecutionRef, FailedStep, Finish,
        MaterializeRequest, Materializer, MemoryFiles, Planner, PlannerAnswer, PlannerError,
        PlannerRequest, RecordRequest, RunFiles, Settle, StartInput, WaveDocument,
    },
    run::{InlineOpRunner, RunPorts, SystemClock, SystemRandomness},
    state::{StateStore, memory::MemoryStore},
};
use precip_local::executor::TokioSleeper;

/// Step Functions and Lambda of a deployed project.
pub(crate) struct Machine {
    definitions: Arc<Definitions>,
    store: Arc<dyn StateStore>,
    files: Arc<dyn RunFiles>,
    data: Arc<dyn IoManager>,
    /// Executions by ARN.
    executions: Mutex<BTreeMap<String, Execution>>,
    /// True when executions stop after the plan and stay active.
    pub(crate) stops_after_plan: Mutex<bool>,
    /// True when executions begin with [`Self::begin_execution`] only.
    pub(crate) starts_on_request: Mutex<bool>,
}

impl std::fmt::Debug for Machine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Machine").finish_non_exhaustive()
    }
}

impl Machine {
    pub(crate) fn new(definitions: Arc<Definitions>) -> Arc<Self> {
        Arc::new(Self {
            definitions,
            store: Arc::new(MemoryStore::new()),
            files: Arc::new(MemoryFiles::default()),
            data: Arc::new(MemoryIoManager::new()),
            executions: Mutex::default(),
            stops_after_plan: Mutex::new(false),
            starts_on_request: Mutex::new(false),
        })
    }

    /// Returns this machine as the deployment that commands act on.
    pub(crate) fn as_deployment(self: &Arc<Self>) -> Deployment {
        Deployment {
            store: Arc::clone(&self.store),
            executions: Arc::<Self>::clone(self),
            files: Arc::clone(&self.files),
            data: Arc::clone(&self.data),
            settings: Arc::new(BTreeMap::new()),
            examine: Arc::<Self>::clone(self),
        }
    }

    /// Returns the number of executions that were started.
    pub(crate) fn execution_count(&self) -> usize {
        self.executions.lock().unwrap().len()
    }

    /// Ends an execution. No function records that.
    pub(crate) fn end_execution(&self, arn: &str, status: ExecutionStatus, cause: &str) {
        let mut executions = self.executions.lock().unwrap();
        let execution = executions.get_mut(arn).unwrap();
        execution.status = status;
        execution.cause = Some(cause.to_owned());
    }

    async fn ask_planner(&self, request: PlannerRequest) -> Result<PlannerAnswer, PlannerError> {
        let planner = self.new_planner();
        planner.handle_request(request).await
    }

    fn new_planner(&self) -> Planner {
        Planner::new(
            Arc::clone(&self.definitions),
            Arc::clone(&self.store),
            Arc::clone(&self.files),
            Arc::new(SystemClock),
            Arc::new(SystemRandomness),
        )
        .unwrap()
    }

    fn new_materializer(&self) -> Materializer {
        let ports = RunPorts::system(
            Arc::clone(&self.store),
            Arc::new(TokioSleeper),
            Arc::new(InlineOpRunner),
        );
        Materializer::new(
            Arc::clone(&self.definitions),
            ports,
            Arc::clone(&self.files),
            self.definitions.environments()[0].clone(),
            Arc::new(BTreeMap::new()),
            Arc::clone(&self.data),
        )
        .unwrap()
    }

    /// Executes a started execution, to its end unless it stops after the plan.
    pub(crate) fn begin_execution(&self, arn: &str) {
        let execution = self.executions.lock().unwrap()[arn].clone();
        if let Err(error) = self.run_in_thread(arn, &execution.name, execution.input.unwrap()) {
            self.end_execution(arn, ExecutionStatus::Failed, &error.to_string());
            let mut executions = self.executions.lock().unwrap();
            executions.get_mut(arn).unwrap().error = Some(error.name().to_owned());
        }
    }

    /// Runs an execution to its end in a thread of its own, as functions run in other processes.
    fn run_in_thread(&self, arn: &str, name: &str, input: String) -> Result<(), PlannerError> {
        let execute = || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            runtime.unwrap().block_on(self.run_waves(arn, name, input))
        };
        std::thread::scope(|scope| scope.spawn(execute).join().unwrap())
    }

    /// Runs the state machine: plan, the stages of each wave, settle, finish.
    async fn run_waves(&self, arn: &str, name: &str, input: String) -> Result<(), PlannerError> {
        let execution = ExecutionRef {
            id: arn.to_owned(),
            name: name.to_owned(),
            redrive: 0,
        };
        let plan = PlannerRequest::Plan {
            input: serde_json::from_str(&input).unwrap(),
            execution: execution.clone(),
            account: AccountSettings::default(),
            looped: false,
        };
        let PlannerAnswer::Wave(mut wave) = self.ask_planner(plan).await? else {
            panic!("a plan is answered with a wave");
        };
        // A plan without work has no waves, and no run to finish.
        if wave.stages.is_empty() || *self.stops_after_plan.lock().unwrap() {
            let mut executions = self.executions.lock().unwrap();
            let execution = executions.get_mut(arn).unwrap();
            if wave.stages.is_empty() {
                execution.status = ExecutionStatus::Succeeded;
                execution.output = serde_json::to_string(&wave).ok();
            }
            return Ok(());
        }
        let layout = Layout::from_graph(self.definitions.graph()).unwrap();
        while wave.wave < layout.wave_count() {
            for (_, stage) in layout.stages_of_wave(wave.wave) {
                self.run_stage(&wave, stage).await;
            }
            let settle = Settle {
                run: wave.run,
                mode: wave.mode,
                wave: wave.wave,
                redrive: 0,
                functions_at_once: Some(wave.functions_at_once),
                looped: false,
                stage: None,
            };
            match self.ask_planner(PlannerRequest::Settle(settle)).await? {
                PlannerAnswer::Wave(next) => wave = next,
                other => panic!("{other:?} is no wave"),
            }
        }
        let finish = Finish {
            run: wave.run,
            mode: wave.mode,
            redrive: 0,
            functions_at_once: Some(wave.functions_at_once),
            again: false,
            execution,
            looped: false,
        };
        self.ask_planner(PlannerRequest::Finish(finish)).await?;
        self.end_execution(arn, ExecutionStatus::Succeeded, "");
        Ok(())
    }

    /// Runs the items of a stage. What fails is recorded, and the rest of the item continues.
    async fn run_stage(&self, wave: &WaveDocument, stage: &LayoutStage) {
        let work = wave.stages.get(&stage.name);
        for mut item in work.and_then(|work| work.items.clone()).unwrap_or_default() {
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
                let deadline = Deadline(Duration::from_secs(60));
                let Err(error) = self.new_materializer().run_step(&request, deadline).await else {
                    continue;
                };
                let caught = CaughtError {
                    error: error.name().to_owned(),
                    cause: error.to_string(),
                };
                let record = RecordRequest {
                    run: wave.run,
                    stage: stage.name.clone(),
                    item: item.clone(),
                    failed: FailedStep::Named {
                        failed: [(step.name.clone(), caught)].into(),
                    },
                    redrive: None,
                };
                let record = PlannerRequest::Record(Box::new(record));
                match self.ask_planner(record).await.unwrap() {
                    PlannerAnswer::Item(left) => item = left.item,
                    other => panic!("{other:?} is no item"),
                }
            }
        }
    }
}

#[async_trait]
impl Executions for Machine {
    async fn start_execution(
        &self,
        name: &str,
        input: &StartInput,
    ) -> Result<StartOutcome, ExecutionError> {
        let arn = self.execution_arn(name);
        let input = serde_json::to_string(input).unwrap();
        let execution = Execution {
            arn: arn.clone(),
            name: name.to_owned(),
            status: ExecutionStatus::Running,
            input: Some(input),
            output: None,
            error: None,
            cause: None,
        };
        {
            let mut executions = self.executions.lock().unwrap();
            if executions.contains_key(&arn) {
                return Ok(StartOutcome::Existing(arn));
            }
            executions.insert(arn.clone(), execution);
        }
        if !*self.starts_on_request.lock().unwrap() {
            self.begin_execution(&arn);
        }
        Ok(StartOutcome::Started(arn))
    }

    async fn describe_execution(&self, arn: &str) -> Result<Option<Execution>, ExecutionError> {
        Ok(self.executions.lock().unwrap().get(arn).cloned())
    }

    async fn stop_execution(&self, arn: &str, cause: &str) -> Result<(), ExecutionError> {
        self.end_execution(arn, ExecutionStatus::Aborted, cause);
        Ok(())
    }

    fn execution_arn(&self, name: &str) -> String {
        format!("arn:aws:states:us-east-1:123456789012:execution:project:{name}")
    }
}

#[async_trait]
impl DeploymentExaminer for Machine {
    async fn examine_deployment(&self) -> Vec<Finding> {
        vec![Finding::without_problem(
            "table `project`",
            "its stream is on",
        )]
    }
}
