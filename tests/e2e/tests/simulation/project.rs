//! The simulated project, and the trouble that its functions and its IO manager have.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
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

/// What may go wrong: one call in `one_in` fails; none when it is 0.
#[derive(Debug)]
pub(crate) struct Trouble {
    pub(crate) one_in: u32,
    pub(crate) chance: fastrand::Rng,
    /// What fails for certain, and the others' luck notwithstanding.
    pub(crate) certain: Vec<String>,
    /// How often each function was called.
    pub(crate) calls: BTreeMap<String, u32>,
}

/// The trouble, shared by all that have it.
#[derive(Debug, Clone)]
pub(crate) struct Shared(pub(crate) Arc<Mutex<Trouble>>);

impl Shared {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(Trouble {
            one_in: 0,
            chance: fastrand::Rng::with_seed(seed),
            certain: Vec::new(),
            calls: BTreeMap::new(),
        })))
    }

    fn strikes(&self) -> Option<u32> {
        let mut trouble = self.0.lock().unwrap();
        let one_in = trouble.one_in;
        (one_in > 0 && trouble.chance.u32(0..one_in) == 0).then(|| trouble.chance.u32(0..3))
    }

    /// A function's fate.
    fn meet(&self, context: &AssetContext) -> Result<(), AssetError> {
        let key = context
            .partition_keys()
            .next()
            .map_or("", PartitionKey::as_str);
        let place = format!("{}[{key}]", context.selected()[0]);
        {
            let mut trouble = self.0.lock().unwrap();
            *trouble.calls.entry(place.clone()).or_default() += 1;
            if trouble.certain.contains(&place) {
                return Err(AssetError::retryable("certain to fail"));
            }
        }
        match self.strikes() {
            None => Ok(()),
            Some(0) => Err(AssetError::retryable("no answer")),
            Some(1) => Err(AssetError::terminal("no use")),
            Some(_) => std::panic::resume_unwind(Box::new("struck")),
        }
    }
}

#[asset(partitions = KEYS, retry_policy(max_retries = 3, delay = "2s", backoff = exponential))]
async fn source(context: &AssetContext, #[resource] trouble: &Shared) -> Result<i64, AssetError> {
    trouble.meet(context)?;
    Ok(context.partition_key()?.as_str().parse()?)
}

#[asset(partitions = KEYS)]
async fn left(
    context: &AssetContext,
    #[resource] trouble: &Shared,
    source: i64,
) -> Result<i64, AssetError> {
    trouble.meet(context)?;
    Ok(source + 1)
}

#[asset(partitions = KEYS, pool = "narrow")]
async fn right(
    context: &AssetContext,
    #[resource] trouble: &Shared,
    source: i64,
) -> Result<i64, AssetError> {
    trouble.meet(context)?;
    Ok(source * 10)
}

#[asset(partitions = KEYS)]
async fn joined(
    context: &AssetContext,
    #[resource] trouble: &Shared,
    left: i64,
    right: i64,
) -> Result<i64, AssetError> {
    trouble.meet(context)?;
    Ok(left + right)
}

#[asset_check(asset = joined, blocking)]
fn positive(joined: i64) -> CheckResult {
    CheckResult::passed_if(joined > 0)
}

#[asset]
async fn total(
    context: &AssetContext,
    #[resource] trouble: &Shared,
    joined: Partitions<i64>,
) -> Result<i64, AssetError> {
    trouble.meet(context)?;
    Ok(joined.values().sum())
}

/// Never answers, the first time.
#[asset(retry_policy(max_retries = 1, delay = "3s"), compute(timeout = "7m"))]
async fn hung(context: &AssetContext) -> Result<i64, AssetError> {
    match context.attempt() {
        1 => std::future::pending().await,
        attempt => Ok(i64::from(attempt)),
    }
}

/// What the assets are in the end.
pub(crate) fn value(asset: &str, key: Option<&str>) -> i64 {
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

pub(crate) fn definitions(trouble: &Shared, data: Arc<dyn IoManager>) -> Definitions {
    definitions_of(trouble, data, &KEYS)
        .asset::<hung>()
        .build()
        .unwrap()
}

/// The project without `hung`, with other partitions.
pub(crate) fn definitions_of(
    trouble: &Shared,
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

/// An IO manager that sometimes fails, before or after it did its work.
struct Unreliable {
    data: Arc<dyn IoManager>,
    trouble: Shared,
}

fn failed(message: &str) -> IoError {
    IoError::Failed {
        message: message.to_owned(),
        source: "out of order".into(),
    }
}

#[async_trait]
impl IoManager for Unreliable {
    async fn store(&self, address: &Address, value: AssetValue) -> Result<Stored, IoError> {
        let fate = self.trouble.strikes();
        if fate == Some(0) {
            return Err(failed("stored nothing"));
        }
        let stored = self.data.store(address, value).await?;
        if fate.is_some() {
            Err(failed("stored, and did not say so"))
        } else {
            Ok(stored)
        }
    }

    async fn make_durable(&self, pointers: &[String]) -> Result<(), IoError> {
        let fate = self.trouble.strikes();
        if fate == Some(0) {
            return Err(failed("nothing is safe"));
        }
        self.data.make_durable(pointers).await?;
        match fate {
            Some(_) => Err(failed("safe, and did not say so")),
            None => Ok(()),
        }
    }

    async fn load(
        &self,
        address: &Address,
        pointer: &str,
        request: &LoadRequest,
    ) -> Result<AssetValue, IoError> {
        match self.trouble.strikes() {
            Some(_) => Err(failed("loaded nothing")),
            None => self.data.load(address, pointer, request).await,
        }
    }
}
