//! [`materialize`].

use std::{collections::BTreeMap, sync::Arc};

use precip_core::plan::CheckSelection;
use precip_engine::{
    definitions::DefinitionsBuilder,
    io::IoManager,
    run::{
        Clock, CreateRun, RunPorts, RunSession, SystemClock, SystemRandomness, create_run,
        new_run_id, plan_run,
    },
    state::{OwnerId, RunRequest, memory::MemoryStore},
};
use precip_io::MemoryIoManager;
use precip_local::executor::{Executor, Stop, TokioBodies, TokioSleeper};

use super::{Materialized, TestError};

/// A run to be made in memory.
#[derive(Debug, Clone)]
#[must_use = "call `run` to run it"]
pub struct Materialize {
    definitions: DefinitionsBuilder,
    request: RunRequest,
    clock: Arc<dyn Clock>,
}

/// Makes every asset of some definitions, in memory. Resources are given to the definitions, real or
/// mock, as anywhere else.
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
        request: RunRequest {
            selection: "*".to_owned(),
            ..RunRequest::default()
        },
        clock: Arc::new(SystemClock),
    }
}

impl Materialize {
    /// Makes some of the assets: a selection as on the command line, such as `total` or `+total`.
    pub fn select(mut self, selection: impl Into<String>) -> Self {
        self.request.selection = selection.into();
        self
    }

    /// Makes some partitions, written as on the command line: `2024-01-01...2024-01-31`, `all`, ..
    pub fn partitions(mut self, partitions: impl Into<String>) -> Self {
        self.request.partitions = Some(partitions.into());
        self
    }

    /// The run config: an object with a value for each op that takes config, by the op's name.
    pub fn config(mut self, config: serde_json::Value) -> Self {
        self.request.config = config;
        self
    }

    /// A tag of the run.
    pub fn tag(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.request.tags.insert(name.into(), value.into());
        self
    }

    /// Takes the time from a clock of the test's own, so that it is known which partitions exist.
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Runs it on the `tokio` runtime that calls it.
    ///
    /// # Errors
    /// [`TestError`] when there is no run to speak of. That an asset failed is no error: see
    /// [`Materialized::success`].
    pub async fn run(self) -> Result<Materialized, TestError> {
        let definitions = Arc::new(self.definitions.build()?);
        let ports = RunPorts {
            state: Arc::new(MemoryStore::new()),
            clock: Arc::clone(&self.clock),
            sleeper: Arc::new(TokioSleeper),
            randomness: Arc::new(SystemRandomness),
            bodies: Arc::new(TokioBodies),
            observer: Arc::new(()),
        };
        let (now, checks) = (self.clock.now(), CheckSelection::All);
        let planned = plan_run(&definitions, &ports.state, now, &self.request, checks).await?;
        let wanted = RunSession::wanted(&definitions, &planned.plan);
        let platform: Arc<dyn IoManager> = Arc::new(MemoryIoManager::new());
        let environment = definitions.environments()[0].clone();
        let settings = BTreeMap::new();
        let open = environment.open(&wanted, &settings, Some(platform)).await?;

        let id = new_run_id(&*ports.clock, &*ports.randomness);
        let new = CreateRun {
            id,
            key: None,
            request: self.request,
            plan: &planned.plan,
            pointer: None,
        };
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
            .execute(Arc::clone(&session), &planned, &Stop::default())
            .await?;
        Ok(Materialized {
            session,
            open,
            report,
        })
    }
}
