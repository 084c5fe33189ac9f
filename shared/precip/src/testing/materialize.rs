//! [`materialize`].

use std::{collections::BTreeMap, sync::Arc};

use precip_core::plan::CheckSelection;
use precip_engine::{
    definitions::DefinitionsBuilder,
    io::IoManager,
    run::{Clock, CreateRun, RunPorts, RunSession, SystemClock, create_run, next_run_id, plan_run},
    state::{OwnerId, RequestedWork, memory::MemoryStore},
};
use precip_io::MemoryIoManager;
use precip_local::executor::{Executor, Stop, TokioOpRunner, TokioSleeper};

use super::{Materialized, TestError};

/// A run in memory, before it is run.
#[derive(Debug, Clone)]
#[must_use = "call `run` to run it"]
pub struct Materialize {
    definitions: DefinitionsBuilder,
    request: RequestedWork,
    clock: Arc<dyn Clock>,
}

/// Returns a run of every asset of some definitions, in memory. Resources, real or mock, are given
/// to the definitions as usual.
///
/// ```
/// use precip::{prelude::*, testing::materialize};
///
/// #[asset]
/// fn numbers() -> Json<Vec<i64>> {
///     Json(vec![1, 2, 3])
/// }
///
/// #[asset]
/// fn total(numbers: Json<Vec<i64>>, #[resource] factor: &i64) -> Output<i64> {
///     Output::new(numbers.iter().sum::<i64>() * factor).metadata("rows", numbers.len())
/// }
///
/// # tokio::runtime::Runtime::new()?.block_on(async {
/// let definitions = Definitions::builder()
///     .asset::<numbers>()
///     .asset::<total>()
///     .resource("factor", 10_i64);
/// let made = materialize(definitions).run().await?;
/// assert!(made.success());
/// assert_eq!(made.value::<total, i64>(None).await?, 60);
/// assert_eq!(made.metadata::<total>(None).await?["rows"], 3.into());
/// # Ok::<(), precip::testing::TestError>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn materialize(definitions: DefinitionsBuilder) -> Materialize {
    Materialize {
        definitions,
        request: RequestedWork {
            selection: "*".to_owned(),
            ..RequestedWork::default()
        },
        clock: Arc::new(SystemClock),
    }
}

impl Materialize {
    /// Selects assets, as on the command line: `total` or `+total`.
    pub fn select(mut self, selection: impl Into<String>) -> Self {
        self.request.selection = selection.into();
        self
    }

    /// Selects partitions, as on the command line: `2024-01-01...2024-01-31`, `all`, ..
    pub fn partitions(mut self, partitions: impl Into<String>) -> Self {
        self.request.partitions = Some(partitions.into());
        self
    }

    /// Sets the run config: an object with a value for each op that takes config, by the op's name.
    pub fn config(mut self, config: serde_json::Value) -> Self {
        self.request.config = config;
        self
    }

    /// Adds a tag to the run.
    pub fn tag(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.request.tags.insert(name.into(), value.into());
        self
    }

    /// Sets the clock, and with it the time windows that exist.
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Runs the assets on the current `tokio` runtime.
    ///
    /// # Errors
    /// [`TestError`] when the run cannot be planned or executed. Failures of assets are not errors:
    /// see [`Materialized::success`].
    pub async fn run(self) -> Result<Materialized, TestError> {
        let definitions = Arc::new(self.definitions.build()?);
        let ports = RunPorts {
            clock: Arc::clone(&self.clock),
            ..RunPorts::system(
                Arc::new(MemoryStore::new()),
                Arc::new(TokioSleeper),
                Arc::new(TokioOpRunner),
            )
        };
        // The same steps as on the command line: plan, open what the plan needs, record the run,
        // execute it.
        let (now, checks) = (self.clock.now(), CheckSelection::All);
        let planned = plan_run(&definitions, &ports.state, now, &self.request, checks).await?;
        let wanted = RunSession::environment_needs(&definitions, &planned.plan);
        let platform: Arc<dyn IoManager> = Arc::new(MemoryIoManager::new());
        // Definitions have at least one environment; tests use the first.
        let environment = definitions.environments()[0].clone();
        let settings = BTreeMap::new();
        let open = environment.open(&wanted, &settings, Some(platform)).await?;

        let id = next_run_id(&*ports.state, &*ports.clock, &*ports.randomness).await?;
        let new = CreateRun {
            id,
            key: None,
            request: self.request,
            plan: &planned.plan,
            pointer: None,
        };
        // The run is recorded before it starts, as everywhere else.
        create_run(&ports, new).await?;
        let session = Arc::new(RunSession::new(
            definitions,
            ports,
            planned.context.clone(),
            id,
            &planned.plan,
            open.clone(),
        ));
        let executor = Executor::new(OwnerId(id.to_string()));
        let report = executor
            .execute_run(Arc::clone(&session), &planned, &Stop::default())
            .await?;
        Ok(Materialized {
            session,
            open,
            report,
        })
    }
}
