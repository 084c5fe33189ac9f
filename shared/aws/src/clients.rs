//! [`Aws`]: the AWS configuration of a process, and the clients built from it.

use aws_config::{BehaviorVersion, SdkConfig};

/// The AWS configuration of the process (region, endpoint, credentials), loaded once. Clients are
/// cheap to create and share its connections.
#[derive(Debug, Clone)]
pub struct Aws {
    config: SdkConfig,
}

impl Aws {
    /// Loads the configuration that the AWS SDK finds: environment variables (`AWS_REGION`,
    /// `AWS_ENDPOINT_URL`, ...), the profile, the role of the function. Credentials are looked up at
    /// the first call.
    pub async fn from_env() -> Self {
        Self::new(aws_config::load_defaults(BehaviorVersion::latest()).await)
    }

    /// Wraps a configuration that was loaded elsewhere.
    pub fn new(config: SdkConfig) -> Self {
        Self { config }
    }

    /// Returns the configuration, for clients of other services.
    pub fn config(&self) -> &SdkConfig {
        &self.config
    }

    /// Creates a client of DynamoDB.
    pub fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        aws_sdk_dynamodb::Client::new(&self.config)
    }

    /// Creates a client of S3. With an endpoint of its own (an emulator) buckets are addressed by
    /// path, since their names do not resolve there.
    pub fn s3(&self) -> aws_sdk_s3::Client {
        let config = aws_sdk_s3::config::Builder::from(&self.config)
            .force_path_style(self.config.endpoint_url().is_some())
            .build();
        aws_sdk_s3::Client::from_conf(config)
    }

    /// Creates a client of Step Functions.
    pub fn step_functions(&self) -> aws_sdk_sfn::Client {
        aws_sdk_sfn::Client::new(&self.config)
    }

    /// Creates a client of EventBridge Scheduler.
    pub fn scheduler(&self) -> aws_sdk_scheduler::Client {
        aws_sdk_scheduler::Client::new(&self.config)
    }

    /// Creates a client of SNS.
    pub fn sns(&self) -> aws_sdk_sns::Client {
        aws_sdk_sns::Client::new(&self.config)
    }

    /// Creates a client of Secrets Manager.
    pub fn secrets_manager(&self) -> aws_sdk_secretsmanager::Client {
        aws_sdk_secretsmanager::Client::new(&self.config)
    }
}
