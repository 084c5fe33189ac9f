//! [`Setting`]: a value from outside the project.

use std::{fmt, str::FromStr};

use crate::settings::{Secret, SettingReader};

/// The source of a setting.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SettingRef {
    /// An environment variable, by name.
    Variable(String),
    /// An entry of the secrets manager, by name (AWS: Secrets Manager's secret id).
    Secret(String),
}

impl SettingRef {
    /// Returns the name of the variable or secret.
    pub fn name(&self) -> &str {
        match self {
            Self::Variable(name) | Self::Secret(name) => name,
        }
    }
}

impl fmt::Display for SettingRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable(name) => write!(f, "environment variable `{name}`"),
            Self::Secret(name) => write!(f, "secret `{name}`"),
        }
    }
}

/// The description of a setting, without its value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SettingSpec {
    /// The source.
    pub reference: SettingRef,
    /// `true` if it has a default.
    pub optional: bool,
    /// `true` if its value must not be shown.
    pub secret: bool,
}

/// A value from outside the project: declared with the project, read when it runs.
///
/// ```
/// use precip_engine::settings::{env, secret};
///
/// let bucket = env("BUCKET");
/// let pool_size = env("POOL_SIZE").parse::<u32>().or(5_u32);
/// let password = secret("warehouse/password");
/// # let _ = (bucket, pool_size, password);
/// ```
#[derive(Debug, Clone)]
pub struct Setting<T> {
    reference: SettingRef,
    secret: bool,
    default: Option<T>,
    parse: fn(&str) -> Result<T, String>,
}

/// Declares a setting read from an environment variable.
pub fn env(name: impl Into<String>) -> Setting<String> {
    Setting {
        reference: SettingRef::Variable(name.into()),
        secret: false,
        default: None,
        parse: |value| Ok(value.to_owned()),
    }
}

/// Declares a setting read from the secrets manager.
pub fn secret(name: impl Into<String>) -> Setting<Secret> {
    Setting {
        reference: SettingRef::Secret(name.into()),
        ..env("").secret()
    }
}

impl Setting<String> {
    /// Parses the value into a type.
    pub fn parse<T: FromStr<Err: fmt::Display>>(self) -> Setting<T> {
        Setting {
            reference: self.reference,
            secret: self.secret,
            default: None,
            parse: |value| value.parse().map_err(|error: T::Err| error.to_string()),
        }
    }

    /// Parses the value into a type; `None` when it is not set.
    ///
    /// ```
    /// use std::num::NonZeroU16;
    /// use precip_engine::settings::env;
    ///
    /// let threads = env("THREADS").optional::<NonZeroU16>();
    /// assert_eq!(threads.default_value(), Some(&None));
    /// ```
    pub fn optional<T: FromStr<Err: fmt::Display>>(self) -> Setting<Option<T>> {
        Setting {
            reference: self.reference,
            secret: self.secret,
            default: Some(None),
            parse: |value| match value.parse() {
                Ok(value) => Ok(Some(value)),
                Err(error) => Err(T::Err::to_string(&error)),
            },
        }
    }

    /// Marks the value as secret, so that it is never shown.
    pub fn secret(self) -> Setting<Secret> {
        Setting {
            reference: self.reference,
            secret: true,
            default: self.default.map(Secret::new),
            parse: |value| Ok(Secret::new(value.to_owned())),
        }
    }
}

impl<T> Setting<T> {
    /// Sets the default, used when it is not set.
    #[must_use]
    pub fn or(mut self, default: impl Into<T>) -> Self {
        self.default = Some(default.into());
        self
    }

    /// Returns the default.
    pub fn default_value(&self) -> Option<&T> {
        self.default.as_ref()
    }

    /// Returns the description of the setting.
    pub fn spec(&self) -> SettingSpec {
        SettingSpec {
            reference: self.reference.clone(),
            optional: self.default.is_some(),
            secret: self.secret,
        }
    }
}

impl<T: Clone> Setting<T> {
    /// Reads the value. An empty value counts as not set.
    ///
    /// # Errors
    /// [`SettingError`], which never contains the value of a secret.
    pub async fn read_value(&self, reader: &dyn SettingReader) -> Result<T, SettingError> {
        let problem = |reason| SettingError {
            reference: self.reference.clone(),
            reason,
        };
        let value = reader
            .read_setting(&self.reference)
            .await
            .map_err(|error| problem(format!("cannot be read: {error}")))?;
        match value.as_deref() {
            None | Some("") => self
                .default
                .clone()
                .ok_or_else(|| problem("is not set".to_owned())),
            Some(value) => (self.parse)(value).map_err(|error| {
                // A parser's message may quote the value.
                problem(if self.secret {
                    "has an invalid value".to_owned()
                } else {
                    format!("is `{value}`: {error}")
                })
            }),
        }
    }
}

/// A setting without a usable value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reference} {reason}")]
pub struct SettingError {
    /// The source.
    pub reference: SettingRef,
    /// The problem, to be written after its name.
    pub reason: String,
}
