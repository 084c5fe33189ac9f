//! [`Setting`]: one value that comes from outside.

use std::{fmt, str::FromStr};

use crate::settings::{Secret, SettingReader};

/// Where one setting is kept.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SettingRef {
    /// An environment variable, by name.
    Variable(String),
    /// An entry of the secrets manager, by name (AWS: Secrets Manager's secret id).
    Secret(String),
}

impl SettingRef {
    /// The name of the variable or secret.
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

/// What is known of a setting without reading it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SettingSpec {
    /// Where it is kept.
    pub reference: SettingRef,
    /// Whether it has a value when it is not set.
    pub optional: bool,
    /// Whether its value must not be seen.
    pub secret: bool,
}

/// A value that comes from outside the project: declared when the project is, read when it runs.
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

/// A setting that is kept in an environment variable.
pub fn env(name: impl Into<String>) -> Setting<String> {
    Setting {
        reference: SettingRef::Variable(name.into()),
        secret: false,
        default: None,
        parse: |value| Ok(value.to_owned()),
    }
}

/// A setting that is kept in the secrets manager.
pub fn secret(name: impl Into<String>) -> Setting<Secret> {
    Setting {
        reference: SettingRef::Secret(name.into()),
        ..env("").secret()
    }
}

impl Setting<String> {
    /// Reads the value into a type.
    pub fn parse<T: FromStr<Err: fmt::Display>>(self) -> Setting<T> {
        Setting {
            reference: self.reference,
            secret: self.secret,
            default: None,
            parse: |value| value.parse().map_err(|error: T::Err| error.to_string()),
        }
    }

    /// Reads the value into a type, and is nothing when it is not set.
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

    /// Never shows the value.
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
    /// The value when it is not set.
    #[must_use]
    pub fn or(mut self, default: impl Into<T>) -> Self {
        self.default = Some(default.into());
        self
    }

    /// The value when it is not set.
    pub fn default_value(&self) -> Option<&T> {
        self.default.as_ref()
    }

    /// What is known of it without reading it.
    pub fn spec(&self) -> SettingSpec {
        SettingSpec {
            reference: self.reference.clone(),
            optional: self.default.is_some(),
            secret: self.secret,
        }
    }
}

impl<T: Clone> Setting<T> {
    /// Reads the value. An empty one counts as not set.
    ///
    /// # Errors
    /// [`SettingProblem`], which never holds the value of a secret.
    pub async fn read(&self, reader: &dyn SettingReader) -> Result<T, SettingProblem> {
        let problem = |reason| SettingProblem {
            reference: self.reference.clone(),
            reason,
        };
        let value = reader
            .read(&self.reference)
            .await
            .map_err(|error| problem(format!("cannot be read: {error}")))?;
        match value.as_deref() {
            None | Some("") => self
                .default
                .clone()
                .ok_or_else(|| problem("is not set".to_owned())),
            Some(value) => (self.parse)(value).map_err(|error| {
                problem(if self.secret {
                    "has a value of another form".to_owned()
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
pub struct SettingProblem {
    /// Where it is kept.
    pub reference: SettingRef,
    /// What is wrong with it, after its name.
    pub reason: String,
}
