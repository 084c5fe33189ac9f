//! What the command line needs of a deployment, put together.

use std::sync::Arc;

use async_trait::async_trait;
use precip_aws::{
    examine,
    files::S3Files,
    launch::{MachineArn, SfnExecutions},
    settings::SecretsManager,
    state::dynamo::DynamoStore,
};
use precip_cli::place::{Deployment, DeploymentNames, NotConnected, Platform};
use precip_io::{ObjectStoreIoManager, S3Credentials, S3Keys};

/// Deployments on AWS, with what the AWS SDK finds: environment variables, the profile.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Aws;

/// The credentials that the AWS SDK finds, for what reads and writes data.
#[derive(Debug)]
struct Keys(precip_aws::Credentials);

#[async_trait]
impl S3Credentials for Keys {
    async fn keys(&self) -> Result<S3Keys, String> {
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
    async fn connect(&self, names: &DeploymentNames) -> Result<Deployment, NotConnected> {
        let refused = |error: &dyn std::fmt::Display| NotConnected {
            message: error.to_string(),
        };
        let machine: MachineArn = names.state_machine.parse().map_err(|e| refused(&e))?;
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
            data: Arc::new(data.map_err(|error| refused(&error))?),
            settings: Arc::new(SecretsManager::new(aws.secrets_manager())),
            examine: Arc::new(examine::Deployment::new(aws, table, bucket, machine)),
        })
    }
}
