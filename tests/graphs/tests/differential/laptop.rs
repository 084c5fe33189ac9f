//! A random project in this process.

use std::{collections::BTreeMap, sync::Arc};

use precip::{
    Definitions,
    core::plan::CheckSelection,
    engine::{
        io::IoManager,
        run::{
            Clock, CreateRun, PlannedRun, RunPorts, RunSession, SystemClock, create_run, plan_run,
        },
        run_id::RunId,
        state::{OwnerId, RequestedWork, StateStore, memory::MemoryStore},
    },
    io::MemoryIoManager,
};
use precip_local::executor::{Executor, Stop, TokioOpRunner, TokioSleeper};

/// The project, with a store and data of its own.
pub(crate) struct Laptop {
    definitions: Arc<Definitions>,
    pub(crate) state: Arc<dyn StateStore>,
    data: Arc<dyn IoManager>,
}

/// Plans a request by a store; `None` if there is nothing to do.
pub(crate) async fn plan_work(
    definitions: &Arc<Definitions>,
    state: &Arc<dyn StateStore>,
    request: &RequestedWork,
) -> Option<PlannedRun> {
    let (now, all) = (SystemClock.now(), CheckSelection::All);
    let planned = plan_run(definitions, state, now, request, all)
        .await
        .expect("a test requests valid work");
    (!planned.plan.is_empty()).then_some(planned)
}

impl Laptop {
    pub(crate) fn new(definitions: Arc<Definitions>) -> Self {
        Self {
            definitions,
            state: Arc::new(MemoryStore::new()),
            data: Arc::new(MemoryIoManager::new()),
        }
    }

    fn run_ports(&self) -> RunPorts {
        RunPorts::system(
            Arc::clone(&self.state),
            Arc::new(TokioSleeper),
            Arc::new(TokioOpRunner),
        )
    }

    /// Plans a request; `None` if there is nothing to do.
    pub(crate) async fn plan_work(&self, request: &RequestedWork) -> Option<PlannedRun> {
        plan_work(&self.definitions, &self.state, request).await
    }

    /// Runs a plan to its end.
    pub(crate) async fn run_plan(&self, id: RunId, request: &RequestedWork, planned: &PlannedRun) {
        let ports = self.run_ports();
        let new = CreateRun {
            id,
            key: None,
            request: request.clone(),
            plan: &planned.plan,
            pointer: None,
        };
        create_run(&ports, new).await.unwrap();
        let environment = &self.definitions.environments()[0];
        let wanted = RunSession::environment_needs(&self.definitions, &planned.plan);
        let settings = BTreeMap::new();
        let data = Some(Arc::clone(&self.data));
        let open = environment.open(&wanted, &settings, data).await.unwrap();
        let session = RunSession::new(
            Arc::clone(&self.definitions),
            ports,
            planned.context.clone(),
            id,
            &planned.plan,
            open,
        );
        let executor = Executor::new(OwnerId(id.to_string()));
        let (session, stop) = (Arc::new(session), Stop::default());
        executor.execute_run(session, planned, &stop).await.unwrap();
    }
}
