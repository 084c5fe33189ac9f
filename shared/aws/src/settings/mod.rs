//! Settings on AWS: environment variables of the function, and secrets in Secrets Manager.

mod secrets_manager;

#[cfg(test)]
mod tests;

pub use secrets_manager::SecretsManager;
