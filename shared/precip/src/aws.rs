//! The AWS adapters of the command line.

use std::sync::Arc;

use async_trait::async_trait;
use precip_aws::{
    examine,
    files::S3Files,
    launch::{MachineArn, SfnExecutions},
    settings::SecretsManager,
    state::dynamo::DynamoStore,
};
use precip_cli::target::{ConnectError, Deployment, DeploymentNames, Platform};
use precip_io::{ObjectStoreIoManager, S3Credentials, S3Keys};

/// Connects to deployments on AWS, with the AWS SDK's configuration: environment variables, the
/// profile.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Aws;

/// The AWS SDK's credentials, for access to data.
#[derive(Debug)]
struct Keys(precip_aws::Credentials);

#[async_trait]
impl S3Credentials for Keys {
    async fn current_keys(&self) -> Result<S3Keys, String> {
        let (id, secret, session) = self.0.get().await?;
        Ok(S3Keys {
            id,
            secret,
            session,
        })
    }
}

#[async_trait]
impl Platform for Aws {
    async fn connect(&self, names: &DeploymentNames) -> Result<Deployment, ConnectError> {
        let not_connected = |error: &dyn std::fmt::Display| ConnectError {
            message: error.to_string(),
        };
        let machine: MachineArn = names
            .state_machine
            .parse()
            .map_err(|error| not_connected(&error))?;
        let aws = precip_aws::Aws::from_env().await;
        let (table, bucket) = (names.table.clone(), names.bucket.clone());
        let region = aws.config().region().map(ToString::to_string);
        let credentials = Arc::new(Keys(precip_aws::Credentials::new(&aws)));
        let data = ObjectStoreIoManager::in_bucket(&bucket, "data", region.as_deref(), credentials);
        let executions = SfnExecutions::new(aws.step_functions(), machine.clone());
        Ok(Deployment {
            store: Arc::new(DynamoStore::new(aws.dynamodb(), table.clone())),
            executions: Arc::new(executions),
            files: Arc::new(S3Files::new(aws.s3(), bucket.clone())),
            data: Arc::new(data.map_err(|error| not_connected(&error))?),
            settings: Arc::new(SecretsManager::new(aws.secrets_manager())),
            examine: Arc::new(examine::Deployment::new(aws, table, bucket, machine)),
        })
    }
}
