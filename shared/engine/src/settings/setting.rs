//! [`Setting`]: a value from outside the project.

use std::{fmt, str::FromStr};

use crate::settings::{
    Secret, SettingReader,
    secret::{is_plain, may_hold_secret, type_within},
};

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
/// let pin = secret("warehouse/pin").parse::<u32>();
/// # let _ = (bucket, pool_size, password, pin);
/// ```
///
/// An error shows the invalid value of a number, a boolean or another type of the standard library. It shows no
/// value of a [`Secret`], nor of any other type: a URL, for example, may contain a password.
#[derive(Debug, Clone)]
pub struct Setting<T> {
    reference: SettingRef,
    secret: bool,
    default: Option<T>,
    parse: fn(&str) -> Result<T, String>,
}

/// Parses a value into a type. The message of the error continues the name of the setting.
fn parse_value<T: FromStr<Err: fmt::Display>>(value: &str) -> Result<T, String> {
    value.parse().map_err(|error: T::Err| {
        if is_plain::<T>() {
            format!("is `{value}`: {error}")
        } else if may_hold_secret::<T>() {
            // A parser's message may quote the value.
            format!("{NOT_SHOWN}: it is not a valid `{}`", type_within::<T>())
        } else {
            format!("{NOT_SHOWN}: {error}")
        }
    })
}

/// The problem of a value that is not shown.
const NOT_SHOWN: &str = "has an invalid value, which is not shown";

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
            secret: self.secret || may_hold_secret::<T>(),
            default: None,
            parse: parse_value,
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
            secret: self.secret || may_hold_secret::<T>(),
            default: Some(None),
            parse: |value| parse_value(value).map(Some),
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

impl Setting<Secret> {
    /// Parses the value into a type, which stays secret.
    ///
    /// ```
    /// use precip_engine::settings::{Secret, Setting, env};
    ///
    /// let pin: Setting<Secret<u32>> = env("PIN").secret().parse();
    /// assert!(pin.spec().secret);
    /// ```
    pub fn parse<T: FromStr>(self) -> Setting<Secret<T>> {
        Setting {
            reference: self.reference,
            secret: true,
            default: None,
            parse: parse_value,
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
            Some(value) => (self.parse)(value).map_err(problem),
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
