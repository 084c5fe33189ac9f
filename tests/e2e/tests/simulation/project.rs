//! The simulated project, and the faults of its functions and its IO manager.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
};

use async_trait::async_trait;
use precip::{
    engine::{
        asset::AssetValue,
        definitions::{Declaration, Declares, DefinitionsBuilder},
        io::{Address, IoError, IoManager, LoadRequest, Stored},
    },
    prelude::*,
};

static KEYS: LazyPartitions = partitions!(static("1", "2", "3", "4", "5", "6", "7", "8"));

/// The faults of a project.
#[derive(Debug)]
pub(crate) struct Trouble {
    /// One call in so many fails; none if it is 0.
    pub(crate) one_in: u32,
    pub(crate) chance: fastrand::Rng,
    /// The items whose functions always fail.
    pub(crate) certain: Vec<String>,
    /// The sums that the check refuses.
    pub(crate) refused: Vec<i64>,
    /// The number of calls of each function, by item.
    pub(crate) calls: BTreeMap<String, u32>,
}

/// [`Trouble`], shared by the functions, the IO manager and the test.
#[derive(Debug, Clone)]
pub(crate) struct SharedTrouble(pub(crate) Arc<Mutex<Trouble>>);

impl SharedTrouble {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(Trouble {
            one_in: 0,
            chance: fastrand::Rng::with_seed(seed),
            certain: Vec::new(),
            refused: Vec::new(),
            calls: BTreeMap::new(),
        })))
    }

    /// Locks the faults.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Trouble> {
        self.0.lock().unwrap()
    }

    /// Draws the kind of a fault; `None` if this call succeeds.
    fn draw_fault(&self) -> Option<u32> {
        let mut trouble = self.lock();
        let one_in = trouble.one_in;
        (one_in > 0 && trouble.chance.u32(0..one_in) == 0).then(|| trouble.chance.u32(0..3))
    }

    /// Fails a function by chance, or if it is certain to fail.
    fn fail_by_chance(&self, context: &AssetContext) -> Result<(), AssetError> {
        let key = context
            .partition_keys()
            .next()
            .map_or("", PartitionKey::as_str);
        let item = format!("{}[{key}]", context.selected()[0]);
        {
            // Unlocked before a fault is drawn, which locks again.
            let mut trouble = self.lock();
            *trouble.calls.entry(item.clone()).or_default() += 1;
            if trouble.certain.contains(&item) {
                return Err(AssetError::retryable("certain to fail"));
            }
        }
        match self.draw_fault() {
            None => Ok(()),
            Some(0) => Err(AssetError::retryable("no answer")),
            Some(1) => Err(AssetError::terminal("no use")),
            Some(_) => std::panic::resume_unwind(Box::new("struck")),
        }
    }
}

#[asset(partitions = KEYS, retry_policy(max_retries = 3, delay = "2s", backoff = exponential))]
async fn source(
    context: &AssetContext,
    #[resource] trouble: &SharedTrouble,
) -> Result<i64, AssetError> {
    trouble.fail_by_chance(context)?;
    Ok(context.partition_key()?.as_str().parse()?)
}

#[asset(partitions = KEYS)]
async fn left(
    context: &AssetContext,
    #[resource] trouble: &SharedTrouble,
    source: i64,
) -> Result<i64, AssetError> {
    trouble.fail_by_chance(context)?;
    Ok(source + 1)
}

#[asset(partitions = KEYS, pool = "narrow")]
async fn right(
    context: &AssetContext,
    #[resource] trouble: &SharedTrouble,
    source: i64,
) -> Result<i64, AssetError> {
    trouble.fail_by_chance(context)?;
    Ok(source * 10)
}

#[asset(partitions = KEYS)]
async fn joined(
    context: &AssetContext,
    #[resource] trouble: &SharedTrouble,
    left: i64,
    right: i64,
) -> Result<i64, AssetError> {
    trouble.fail_by_chance(context)?;
    Ok(left + right)
}

#[asset_check(asset = joined, blocking)]
fn positive(#[resource] trouble: &SharedTrouble, joined: i64) -> CheckResult {
    CheckResult::passed_if(joined > 0 && !trouble.lock().refused.contains(&joined))
}

#[asset]
async fn total(
    context: &AssetContext,
    #[resource] trouble: &SharedTrouble,
    joined: Partitions<i64>,
) -> Result<i64, AssetError> {
    trouble.fail_by_chance(context)?;
    Ok(joined.values().sum())
}

/// Hangs at its first attempt.
#[asset(retry_policy(max_retries = 1, delay = "3s"), compute(timeout = "7m"))]
async fn hung(context: &AssetContext) -> Result<i64, AssetError> {
    match context.attempt() {
        1 => std::future::pending().await,
        attempt => Ok(i64::from(attempt)),
    }
}

/// Returns the value of an item.
pub(crate) fn expected_value(asset: &str, key: Option<&str>) -> i64 {
    let number = |key: &str| key.parse::<i64>().unwrap();
    match (asset, key) {
        ("source", Some(key)) => number(key),
        ("left", Some(key)) => number(key) + 1,
        ("right", Some(key)) => number(key) * 10,
        ("joined", Some(key)) => number(key) * 11 + 1,
        ("total", None) => (1..=8).map(|number| number * 11 + 1).sum(),
        other => panic!("{other:?} is not of this project"),
    }
}

/// Builds the project.
pub(crate) fn simulated_definitions(
    trouble: &SharedTrouble,
    data: Arc<dyn IoManager>,
) -> Definitions {
    definitions_of(trouble, data, &KEYS)
        .asset::<hung>()
        .build()
        .unwrap()
}

/// Builds the project without `hung`, with other partitions.
pub(crate) fn definitions_of(
    trouble: &SharedTrouble,
    data: Arc<dyn IoManager>,
    partitions: &PartitionsDefinition,
) -> DefinitionsBuilder {
    let mut divided = [
        source::declare(),
        left::declare(),
        right::declare(),
        joined::declare(),
    ];
    for declared in &mut divided {
        if let Declaration::Op(op) = declared {
            op.spec.assets[0].partitions = Some(Arc::new(partitions.clone()));
        }
    }
    Definitions::builder()
        .declare(divided)
        .check::<positive>()
        .asset::<total>()
        .resource("trouble", trouble.clone())
        .io_manager(
            "default",
            Unreliable {
                data,
                trouble: trouble.clone(),
            },
        )
}

/// An IO manager whose calls fail by chance, before or after they have an effect.
struct Unreliable {
    data: Arc<dyn IoManager>,
    trouble: SharedTrouble,
}

fn io_error(message: &str) -> IoError {
    IoError::Failed {
        message: message.to_owned(),
        source: "out of order".into(),
    }
}

#[async_trait]
impl IoManager for Unreliable {
    async fn store(&self, address: &Address, value: AssetValue) -> Result<Stored, IoError> {
        let fault = self.trouble.draw_fault();
        if fault == Some(0) {
            return Err(io_error("stored nothing"));
        }
        let stored = self.data.store(address, value).await?;
        if fault.is_some() {
            Err(io_error("stored, but the answer was lost"))
        } else {
            Ok(stored)
        }
    }

    async fn make_durable(&self, pointers: &[String]) -> Result<(), IoError> {
        let fault = self.trouble.draw_fault();
        if fault == Some(0) {
            return Err(io_error("nothing is durable"));
        }
        self.data.make_durable(pointers).await?;
        match fault {
            Some(_) => Err(io_error("durable, but the answer was lost")),
            None => Ok(()),
        }
    }

    async fn load(
        &self,
        address: &Address,
        pointer: &str,
        request: &LoadRequest,
    ) -> Result<AssetValue, IoError> {
        match self.trouble.draw_fault() {
            Some(_) => Err(io_error("loaded nothing")),
            None => self.data.load(address, pointer, request).await,
        }
    }
}
