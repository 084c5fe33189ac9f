//! The arguments of `gc`.

use chrono::TimeDelta;
use clap::Args;

use crate::env;

/// The arguments of `gc`.
#[derive(Debug, Clone, Args)]
pub struct GcArgs {
    /// Assets to look at
    #[arg(short, long, value_name = "SELECTION", default_value = "*")]
    pub select: String,

    /// Minimum age of the data and of its replacement: `90m`, `24h`, `7d`; an hour at least
    #[arg(long, value_name = "AGE", default_value = "7d", value_parser = parse_age)]
    pub older_than: TimeDelta,

    /// Age up to which plans of ended runs and unreferenced events are kept: `90d`, `1y`. Only on this machine, and
    /// without `--select`
    #[arg(long, env = env::KEEP_HISTORY, value_name = "AGE", default_value = "90d", value_parser = parse_age, hide_env_values = true)]
    pub keep_history: TimeDelta,

    /// Remove the data; lists only unless given
    #[arg(long)]
    pub delete: bool,
}

fn parse_age(text: &str) -> Result<TimeDelta, String> {
    let hint = || "write an age like `90m`, `24h` or `7d`".to_owned();
    let age = humantime::parse_duration(text).map_err(|error| format!("{error}; {}", hint()))?;
    TimeDelta::from_std(age).map_err(|_| hint())
}
