//! A deployment in memory: executions that do what the state machines do, one thing at a time.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use precip::io::MemoryIoManager;
use precip_cli::place::Deployment;
use precip_core::machine::{Layout, LayoutStage};
use precip_engine::{
    definitions::Definitions,
    deployment::{
        Examine, Execution, ExecutionError, ExecutionStatus, Executions, Finding, Started,
    },
    io::IoManager,
    machine::{
        CaughtError, Deadline, ExecutionRef, FailedStep, Finish, MaterializeRequest, Materializer,
        MemoryFiles, Planner, PlannerAnswer, PlannerError, PlannerRequest, RecordRequest, RunFiles,
        Settle, StartInput, WaveDocument,
    },
    run::{InlineBodies, RunPorts, SystemClock, SystemRandomness},
    state::{StateStore, memory::MemoryStore},
};
use precip_local::executor::TokioSleeper;

/// What Step Functions and Lambda do for a project.
pub(crate) struct Machine {
    definitions: Arc<Definitions>,
    store: Arc<dyn StateStore>,
    files: Arc<dyn RunFiles>,
    data: Arc<dyn IoManager>,
    known: Mutex<BTreeMap<String, Execution>>,
    /// Whether executions stand still once they are planned.
    pub(crate) holds: Mutex<bool>,
    /// Whether executions begin only when they are let.
    pub(crate) waits: Mutex<bool>,
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
            known: Mutex::default(),
            holds: Mutex::new(false),
            waits: Mutex::new(false),
        })
    }

    pub(crate) fn deployment(self: &Arc<Self>) -> Deployment {
        Deployment {
            store: Arc::clone(&self.store),
            executions: Arc::<Self>::clone(self),
            files: Arc::clone(&self.files),
            data: Arc::clone(&self.data),
            settings: Arc::new(BTreeMap::new()),
            examine: Arc::<Self>::clone(self),
        }
    }

    pub(crate) fn count(&self) -> usize {
        self.known.lock().unwrap().len()
    }

    /// An execution ends, and nobody is told.
    pub(crate) fn end(&self, arn: &str, status: ExecutionStatus, cause: &str) {
        let mut known = self.known.lock().unwrap();
        let execution = known.get_mut(arn).unwrap();
        execution.status = status;
        execution.cause = Some(cause.to_owned());
    }

    async fn planned(&self, request: PlannerRequest) -> Result<PlannerAnswer, PlannerError> {
        let planner = self.deployment_planner();
        planner.answer(request).await
    }

    fn deployment_planner(&self) -> Planner {
        Planner::new(
            Arc::clone(&self.definitions),
            Arc::clone(&self.store),
            Arc::clone(&self.files),
            Arc::new(SystemClock),
            Arc::new(SystemRandomness),
        )
        .unwrap()
    }

    fn materializer(&self) -> Materializer {
        let ports = RunPorts {
            state: Arc::clone(&self.store),
            clock: Arc::new(SystemClock),
            sleeper: Arc::new(TokioSleeper),
            randomness: Arc::new(SystemRandomness),
            bodies: Arc::new(InlineBodies),
            observer: Arc::new(()),
        };
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

    /// Executes what was started.
    pub(crate) fn begin(&self, arn: &str) {
        let execution = self.known.lock().unwrap()[arn].clone();
        if let Err(error) = self.at_once(arn, &execution.name, execution.input.unwrap()) {
            self.end(arn, ExecutionStatus::Failed, &error.to_string());
            let mut known = self.known.lock().unwrap();
            known.get_mut(arn).unwrap().error = Some(error.name().to_owned());
        }
    }

    /// Executes in a thread of its own: functions are other processes.
    fn at_once(&self, arn: &str, name: &str, input: String) -> Result<(), PlannerError> {
        let execute = || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            runtime.unwrap().block_on(self.execute(arn, name, input))
        };
        std::thread::scope(|scope| scope.spawn(execute).join().unwrap())
    }

    async fn execute(&self, arn: &str, name: &str, input: String) -> Result<(), PlannerError> {
        let execution = ExecutionRef {
            id: arn.to_owned(),
            name: name.to_owned(),
            redrive: 0,
        };
        let plan = PlannerRequest::Plan {
            input: serde_json::from_str(&input).unwrap(),
            execution: execution.clone(),
            looped: false,
        };
        let PlannerAnswer::Wave(mut wave) = self.planned(plan).await? else {
            panic!("a plan is answered with a wave");
        };
        if wave.stages.is_empty() || *self.holds.lock().unwrap() {
            let mut known = self.known.lock().unwrap();
            let execution = known.get_mut(arn).unwrap();
            if wave.stages.is_empty() {
                execution.status = ExecutionStatus::Succeeded;
                execution.output = serde_json::to_string(&wave).ok();
            }
            return Ok(());
        }
        let layout = Layout::of(self.definitions.graph()).unwrap();
        while wave.wave < layout.waves() {
            for (_, stage) in layout.wave(wave.wave) {
                self.stage(&wave, stage).await;
            }
            let settle = Settle {
                run: wave.run,
                mode: wave.mode,
                wave: wave.wave,
                redrive: 0,
                looped: false,
                stage: None,
            };
            match self.planned(PlannerRequest::Settle(settle)).await? {
                PlannerAnswer::Wave(next) => wave = next,
                other => panic!("{other:?} is no wave"),
            }
        }
        let finish = Finish {
            run: wave.run,
            mode: wave.mode,
            redrive: 0,
            again: false,
            execution,
            looped: false,
        };
        self.planned(PlannerRequest::Finish(finish)).await?;
        self.end(arn, ExecutionStatus::Succeeded, "");
        Ok(())
    }

    async fn stage(&self, wave: &WaveDocument, stage: &LayoutStage) {
        let work = wave.stages.get(&stage.name);
        for item in work.and_then(|work| work.items.clone()).unwrap_or_default() {
            let mut item = item;
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
                let Err(error) = self.materializer().run(&request, deadline).await else {
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
                    redrive: 0,
                };
                let record = PlannerRequest::Record(Box::new(record));
                match self.planned(record).await.unwrap() {
                    PlannerAnswer::Item(left) => item = left.item,
                    other => panic!("{other:?} is no item"),
                }
            }
        }
    }
}

#[async_trait]
impl Executions for Machine {
    async fn start(&self, name: &str, input: &StartInput) -> Result<Started, ExecutionError> {
        let arn = self.arn(name);
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
            let mut known = self.known.lock().unwrap();
            if known.contains_key(&arn) {
                return Ok(Started::Before(arn));
            }
            known.insert(arn.clone(), execution);
        }
        if !*self.waits.lock().unwrap() {
            self.begin(&arn);
        }
        Ok(Started::Now(arn))
    }

    async fn describe(&self, arn: &str) -> Result<Option<Execution>, ExecutionError> {
        Ok(self.known.lock().unwrap().get(arn).cloned())
    }

    async fn stop(&self, arn: &str, cause: &str) -> Result<(), ExecutionError> {
        self.end(arn, ExecutionStatus::Aborted, cause);
        Ok(())
    }

    fn arn(&self, name: &str) -> String {
        format!("arn:aws:states:us-east-1:123456789012:execution:project:{name}")
    }
}

#[async_trait]
impl Examine for Machine {
    async fn examine(&self) -> Vec<Finding> {
        vec![Finding::well("table `project`", "its stream is on")]
    }
}
