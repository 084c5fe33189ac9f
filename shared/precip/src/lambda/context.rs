//! The parts that every function uses.

use std::{env, sync::Arc};

use precip_aws::{Aws, files::S3Files, launch::MachineArn, state::dynamo::DynamoStore};
use precip_engine::{
    definitions::{Definitions, InvalidDefinitions},
    run::{Clock, Randomness, SystemClock, SystemRandomness},
    state::StateStore,
};

use super::variables;

/// The parts that every function uses.
pub(super) struct FunctionContext {
    pub(super) definitions: Arc<Definitions>,
    pub(super) aws: Aws,
    pub(super) store: DynamoStore,
    pub(super) files: Arc<S3Files>,
    pub(super) bucket: String,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) randomness: Arc<dyn Randomness>,
}

impl FunctionContext {
    /// Reads the variables and connects to AWS.
    pub(super) async fn new(
        definitions: fn() -> Result<Definitions, InvalidDefinitions>,
    ) -> Result<Self, String> {
        let project = definitions().map_err(|error| error.to_string())?;
        let table = required_variable(variables::TABLE)?;
        let bucket = required_variable(variables::BUCKET)?;
        // Clients are made once, so that their connections serve all invocations of the process.
        let aws = Aws::from_env().await;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        Ok(Self {
            definitions: Arc::new(project),
            store: DynamoStore::new(aws.dynamodb(), table),
            files: Arc::new(S3Files::new(aws.s3(), bucket.clone())),
            aws,
            bucket,
            clock,
            randomness: Arc::new(SystemRandomness),
        })
    }

    /// Returns the table as a state store.
    pub(super) fn state_store(&self) -> Arc<dyn StateStore> {
        Arc::new(self.store.clone())
    }
}

/// Returns a variable that the template sets.
pub(super) fn required_variable(name: &str) -> Result<String, String> {
    env::var(name).map_err(|_| {
        format!("the variable {name} is not set: deploy the function with the generated template")
    })
}

/// Returns the ARN of the state machine that people start.
pub(super) fn required_machine() -> Result<MachineArn, String> {
    required_variable(variables::STATE_MACHINE)?
        .parse()
        .map_err(|error| format!("{}: {error}", variables::STATE_MACHINE))
}
