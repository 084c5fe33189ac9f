//! Precip on AWS: the adapters of the engine's ports. State is one DynamoDB table, runs are Step
//! Functions executions, and what passes between their steps lies in S3.

mod clients;
mod credentials;
pub mod examine;
pub mod files;
pub mod launch;
pub mod objects;
pub mod settings;
pub mod state;
pub mod trigger;

pub use clients::Aws;
pub use credentials::Credentials;
