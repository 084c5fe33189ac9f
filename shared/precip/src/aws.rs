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
use precip_io::ObjectStoreIoManager;

/// Deployments on AWS, with what the AWS SDK finds: environment variables, the profile.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Aws;

#[async_trait]
impl Platform for Aws {
    async fn connect(&self, names: &DeploymentNames) -> Result<Deployment, NotConnected> {
        let refused = |error: &dyn std::fmt::Display| NotConnected {
            message: error.to_string(),
        };
        let machine: MachineArn = names.state_machine.parse().map_err(|e| refused(&e))?;
        let aws = precip_aws::Aws::from_env().await;
        let (table, bucket) = (names.table.clone(), names.bucket.clone());
        let data = ObjectStoreIoManager::open(&format!("s3://{bucket}/data"));
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
