//! [`SettingReader`]: the port to the source of settings.

use std::collections::BTreeMap;

use async_trait::async_trait;

use crate::settings::SettingRef;

/// A source of settings: the process's environment, a secrets manager, or a map in a test.
#[async_trait]
pub trait SettingReader: Send + Sync {
    /// Reads the value of a setting; `None` when it is not set.
    ///
    /// # Errors
    /// [`SettingReadError`] when the source cannot be read.
    async fn read_setting(
        &self,
        reference: &SettingRef,
    ) -> Result<Option<String>, SettingReadError>;
}

/// A failure to read a setting's source.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct SettingReadError {
    /// The failed operation and its reason, without the value.
    pub reason: String,
}

/// Reads settings by the name of the variable or secret, for tests.
#[async_trait]
impl SettingReader for BTreeMap<String, String> {
    async fn read_setting(
        &self,
        reference: &SettingRef,
    ) -> Result<Option<String>, SettingReadError> {
        Ok(self.get(reference.name()).cloned())
    }
}
