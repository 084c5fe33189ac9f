//! [`SettingReader`]: the port to where settings are kept.

use std::collections::BTreeMap;

use async_trait::async_trait;

use crate::settings::SettingRef;

/// Where settings are kept: the process's environment, a secrets manager, a table in a test.
#[async_trait]
pub trait SettingReader: Send + Sync {
    /// The value of a setting; `None` when it is not set.
    ///
    /// # Errors
    /// [`SettingReadError`] when it cannot be known whether it is set.
    async fn read(&self, reference: &SettingRef) -> Result<Option<String>, SettingReadError>;
}

/// A setting that could not be read, set or not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct SettingReadError {
    /// What was tried and why it failed. Never the value.
    pub reason: String,
}

/// Settings by the name of the variable or secret, for tests.
#[async_trait]
impl SettingReader for BTreeMap<String, String> {
    async fn read(&self, reference: &SettingRef) -> Result<Option<String>, SettingReadError> {
        Ok(self.get(reference.name()).cloned())
    }
}
