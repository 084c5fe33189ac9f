//! Settings: typed references to environment variables and secrets.
//!
//! A project declares in one place what each of its environments reads ([`Setting`]); the values are
//! read, checked and parsed through one port ([`SettingReader`]) before anything runs.

mod process;
mod reader;
mod secret;
mod set;
mod setting;

pub use process::ProcessEnvironment;
pub use reader::{SettingReadError, SettingReader};
pub use secret::Secret;
pub use set::Settings;
pub use setting::{Setting, SettingProblem, SettingRef, SettingSpec, env, secret};
