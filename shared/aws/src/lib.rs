//! Precip on AWS: the adapters of the engine's ports.
//!
//! | port | adapter | service |
//! |---|---|---|
//! | `StateStore` | [`state::dynamo::DynamoStore`] | one DynamoDB table |
//! | `Executions`, `RunLauncher` | [`launch::SfnExecutions`], [`launch::SfnLauncher`] | Step Functions |
//! | `RunFiles` | [`files::S3Files`] | S3: the plans and manifests that pass between steps |
//! | `ObjectListing` | [`objects::S3Objects`] | S3: the buckets that sensors sweep |
//! | `SettingReader` | [`settings::SecretsManager`] | environment variables, Secrets Manager |
//! | `TickScheduler`, `FreshnessTopic` | [`trigger::ScheduledTicks`], [`trigger::SnsTopic`] | EventBridge Scheduler, SNS |
//! | `Examine` | [`examine::Deployment`] | all of them, for `doctor` |
//!
//! Clients come from one [`Aws`]; their errors are classified in one place, the private module
//! `error`.

mod clients;
mod credentials;
mod error;
pub mod examine;
pub mod files;
pub mod launch;
pub mod objects;
pub mod settings;
pub mod state;
pub mod trigger;

pub use clients::Aws;
pub use credentials::Credentials;
