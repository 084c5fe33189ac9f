//! Settings: typed references to environment variables and secrets.
//!
//! A project declares the settings of each environment in one place ([`Setting`]). Their values are
//! read through one port ([`SettingReader`]) and parsed before anything runs.

mod process;
mod reader;
mod secret;
mod set;
mod setting;

pub use process::ProcessEnvironment;
pub use reader::{SettingReadError, SettingReader};
pub use secret::{InvalidSecret, Secret};
pub use set::Settings;
pub use setting::{Setting, SettingError, SettingRef, SettingSpec, env, secret};

#[cfg(test)]
mod tests;
