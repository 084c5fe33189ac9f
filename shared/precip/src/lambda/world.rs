//! What every function stands on.

use std::{env, sync::Arc};

use precip_aws::{Aws, files::S3Files, state::dynamo::DynamoStore};
use precip_engine::{
    definitions::{Definitions, InvalidDefinitions},
    run::{Clock, Randomness, SystemClock, SystemRandomness},
    state::StateStore,
};

use super::variables;

/// What every function stands on.
pub(super) struct World {
    pub(super) definitions: Arc<Definitions>,
    pub(super) aws: Aws,
    pub(super) store: DynamoStore,
    pub(super) files: Arc<S3Files>,
    pub(super) bucket: String,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) randomness: Arc<dyn Randomness>,
}

impl World {
    pub(super) async fn new(
        definitions: fn() -> Result<Definitions, InvalidDefinitions>,
    ) -> Result<Self, String> {
        let definitions = definitions().map_err(|error| error.to_string())?;
        let table = variable(variables::TABLE)?;
        let bucket = variable(variables::BUCKET)?;
        let aws = Aws::from_env().await;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        Ok(Self {
            definitions: Arc::new(definitions),
            store: DynamoStore::new(aws.dynamodb(), table),
            files: Arc::new(S3Files::new(aws.s3(), bucket.clone())),
            aws,
            bucket,
            clock,
            randomness: Arc::new(SystemRandomness),
        })
    }

    pub(super) fn state(&self) -> Arc<dyn StateStore> {
        Arc::new(self.store.clone())
    }
}

/// A variable that the template sets.
pub(super) fn variable(name: &str) -> Result<String, String> {
    env::var(name).map_err(|_| {
        format!("the variable {name} is not set: deploy the function with the generated template")
    })
}
