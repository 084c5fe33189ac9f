//! The command line as types.

use std::{
    ffi::{OsStr, OsString},
    path::PathBuf,
};

use clap::{Args, Parser, Subcommand};

use crate::template::{Deploy, Template};

/// The command line of the launcher itself.
#[derive(Debug, Parser)]
#[command(
    name = "precip",
    version,
    about = "Make projects of data assets, and run the commands of the project around this folder.",
    after_help = "Inside a project, every other command is the project's own, run in the project's folder:\n  \
                  precip materialize\n  precip show ASSET\n  precip -- --help      lists all of them\n\n\
                  Exit codes: 0 done, 2 usage, 4 environment; otherwise those of the project.",
    arg_required_else_help = true,
    max_term_width = 100
)]
pub(crate) struct Root {
    /// The command.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// A command of the launcher itself.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a project
    New(NewArgs),
    /// Add an asset, a check, a sensor or a schedule to the project
    Add {
        /// The kind of the declaration
        #[command(subcommand)]
        addition: AddArgs,
    },
}

/// The arguments of `new`.
#[derive(Debug, Clone, Args)]
pub(crate) struct NewArgs {
    /// Name of the project, or a path that ends in it
    #[arg(value_name = "NAME")]
    pub(crate) path: PathBuf,

    /// Project to start from
    #[arg(long, value_enum, default_value_t)]
    pub(crate) template: Template,

    /// Tool that deploys the project on AWS
    #[arg(long, value_enum, default_value_t)]
    pub(crate) deploy: Deploy,
}

/// The arguments of `add`.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub(crate) enum AddArgs {
    /// Add an asset, to `src/assets.rs`
    Asset {
        /// Name of the asset and of its function, such as `customers`
        name: String,
    },
    /// Add a check, next to the asset that it checks
    Check {
        /// Name of the check and of its function
        name: String,
        /// Asset to check
        #[arg(long, value_name = "ASSET")]
        asset: String,
    },
    /// Add a sensor of a folder or bucket, to `src/sensors.rs`
    Sensor {
        /// Name of the sensor and of its function
        name: String,
        /// Selection of the assets to materialize
        #[arg(long, value_name = "SELECTION", default_value = "*")]
        target: String,
    },
    /// Add a schedule, to `src/schedules.rs`
    Schedule {
        /// Name of the schedule
        name: String,
        /// Selection of the assets to materialize
        #[arg(long, value_name = "SELECTION", default_value = "*")]
        target: String,
    },
}

/// Returns the words for the project's own command line, or `None` when they are for the launcher.
pub(crate) fn forwarded_words(words: &[OsString]) -> Option<&[OsString]> {
    let own = ["new", "add", "help", "-h", "--help", "-V", "--version"];
    match words.first().map(OsString::as_os_str) {
        None => None,
        Some(first) if first == OsStr::new("--") => Some(&words[1..]),
        Some(first) if own.iter().any(|word| first == OsStr::new(word)) => None,
        Some(_) => Some(words),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn forwarded(line: &str) -> Option<Vec<String>> {
        let words: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
        let words = forwarded_words(&words)?;
        Some(
            words
                .iter()
                .map(|word| word.to_string_lossy().into_owned())
                .collect(),
        )
    }

    #[test]
    fn only_its_own_commands_are_the_launchers() {
        for own in [
            "",
            "new shop",
            "add asset a",
            "--help",
            "-h",
            "help new",
            "-V",
            "--version",
        ] {
            assert_eq!(forwarded(own), None, "{own}");
        }
        for line in [
            "materialize",
            "--env prod synth",
            "assets new",
            "show add -n 3",
            "--json assets",
        ] {
            assert_eq!(forwarded(line).unwrap().join(" "), line);
        }
    }

    #[test]
    fn two_dashes_forward_everything_after_them() {
        assert_eq!(forwarded("-- --help").unwrap(), ["--help"]);
        assert_eq!(forwarded("-- new").unwrap(), ["new"]);
        assert_eq!(forwarded("--").unwrap(), [""; 0]);
        assert_eq!(forwarded("show -- a").unwrap(), ["show", "--", "a"]);
    }

    #[test]
    fn the_command_line_is_consistent() {
        Root::command().debug_assert();
    }
}
