//! The arguments of `gc`.

use chrono::TimeDelta;
use clap::Args;

/// What is looked for, and whether it is removed.
#[derive(Debug, Clone, Args)]
pub struct GcArgs {
    /// Which assets
    #[arg(short, long, value_name = "SELECTION", default_value = "*")]
    pub select: String,

    /// How long ago it has to be written, and replaced: `90m`, `24h`, `7d`; an hour at least
    #[arg(long, value_name = "AGE", default_value = "7d", value_parser = age)]
    pub older_than: TimeDelta,

    /// Remove it; lists only unless given
    #[arg(long)]
    pub delete: bool,
}

fn age(text: &str) -> Result<TimeDelta, String> {
    let wrong = || "an age is written like `90m`, `24h` or `7d`".to_owned();
    let age = humantime::parse_duration(text).map_err(|error| format!("{error}; {}", wrong()))?;
    TimeDelta::from_std(age).map_err(|_| wrong())
}
