//! [`ProcessEnvironment`].

use async_trait::async_trait;

use crate::settings::{SettingReadError, SettingReader, SettingRef};

/// A reader of the process's environment variables. Secrets of a secrets manager need that
/// service's own reader.
#[derive(Debug, Clone, Copy, Default)]
pub struct ProcessEnvironment;

#[async_trait]
impl SettingReader for ProcessEnvironment {
    async fn read_setting(
        &self,
        reference: &SettingRef,
    ) -> Result<Option<String>, SettingReadError> {
        match reference {
            SettingRef::Variable(name) => match std::env::var(name) {
                Ok(value) => Ok(Some(value)),
                Err(std::env::VarError::NotPresent) => Ok(None),
                Err(std::env::VarError::NotUnicode(_)) => Err(SettingReadError {
                    reason: format!("environment variable `{name}` is not UTF-8"),
                }),
            },
            SettingRef::Secret(name) => Err(SettingReadError {
                reason: format!(
                    "secret `{name}` is kept in a secrets manager, which cannot be reached from here: \
                     use `env(..).secret()` in an environment for this machine"
                ),
            }),
        }
    }
}
