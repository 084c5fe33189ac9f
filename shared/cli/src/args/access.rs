//! [`Access`]: the use that each command makes of the record.

use super::{
    AutomationAction, Command, DynamicAction, PoolAction, ScheduleAction, SensorAction, TableFormat,
};

/// The use that a command makes of the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Not at all: the command is about the project alone, whatever `--on` says.
    Project,
    /// Reads it. A folder without a home stays without one.
    Read,
    /// Reads it, partition numbers included. Those are numbers of the definitions that the record was
    /// written with.
    ReadPartitions,
    /// Reads and writes it.
    Write,
}

impl Command {
    /// Returns `true` if the command executes or follows runs, with progress on a terminal.
    pub(crate) fn shows_progress(&self) -> bool {
        matches!(
            self,
            Self::Materialize(_) | Self::Resume { .. } | Self::Retry { .. } | Self::Dev(_)
        )
    }

    /// Returns how the command uses the record.
    pub(crate) fn access(&self) -> Access {
        // No wildcard arm: a new command or action does not compile before it is listed.
        match self {
            Self::Describe { .. } | Self::Synth(_) | Self::Completions { .. } => Access::Project,
            Self::Assets { .. }
            | Self::Asset { .. }
            | Self::Graph { .. }
            | Self::Partitions { .. }
            | Self::Checks { .. } => Access::ReadPartitions,
            Self::Plan(_)
            | Self::Cost(_)
            | Self::Simulate(_)
            | Self::Runs { .. }
            | Self::Run { .. }
            | Self::Show { .. }
            | Self::Sensors
            | Self::Schedules
            | Self::Ticks { .. }
            | Self::Doctor => Access::Read,
            Self::Materialize(_)
            | Self::Resume { .. }
            | Self::Retry { .. }
            | Self::Cancel { .. }
            | Self::Dev(_) => Access::Write,
            Self::Gc(args) if args.delete => Access::Write,
            Self::Gc(_) => Access::Read,
            Self::Dynamic { action, .. } => match action {
                None | Some(DynamicAction::List) => Access::Read,
                Some(DynamicAction::Add { .. } | DynamicAction::Remove { .. }) => Access::Write,
            },
            Self::Pools { action } => match action {
                None | Some(PoolAction::List) => Access::Read,
                Some(PoolAction::Limit { .. }) => Access::Write,
            },
            Self::Automation { action } => match action {
                None
                | Some(
                    AutomationAction::List
                    | AutomationAction::Explain { .. }
                    | AutomationAction::Status
                    | AutomationAction::History { .. },
                ) => Access::ReadPartitions,
                Some(AutomationAction::Start | AutomationAction::Stop) => Access::Write,
            },
            Self::Sensor { action, .. } => match action {
                None => Access::Read,
                Some(SensorAction::Start | SensorAction::Stop | SensorAction::ResetCursor) => {
                    Access::Write
                }
            },
            Self::Schedule { action, .. } => match action {
                None | Some(ScheduleAction::Preview { .. }) => Access::Read,
                Some(ScheduleAction::Start | ScheduleAction::Stop) => Access::Write,
            },
        }
    }
}

impl Command {
    /// Returns `true` if the command writes data for programs also without `--json`.
    pub(crate) fn writes_data(&self) -> bool {
        match self {
            Self::Show { format, .. } => match format {
                TableFormat::Table => false,
                TableFormat::Csv | TableFormat::Json => true,
            },
            Self::Describe { schema, .. } => *schema,
            Self::Graph { .. } | Self::Completions { .. } => true,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::args::Root;

    fn access_of(line: &str) -> Access {
        let words = ["project"].into_iter().chain(line.split_whitespace());
        Root::try_parse_from(words).unwrap().command.access()
    }

    #[test]
    fn listing_reads_and_changing_writes() {
        for (line, access) in [
            ("describe", Access::Project),
            ("synth --check", Access::Project),
            ("assets", Access::ReadPartitions),
            ("automation", Access::ReadPartitions),
            ("plan", Access::Read),
            ("dynamic files", Access::Read),
            ("pools", Access::Read),
            ("sensor s --event e.json", Access::Read),
            ("schedule s preview", Access::Read),
            ("materialize", Access::Write),
            ("dynamic files add a", Access::Write),
            ("pools limit p 2", Access::Write),
            ("sensor s reset-cursor", Access::Write),
        ] {
            assert_eq!(access_of(line), access, "{line}");
        }
    }

    #[test]
    fn sensors_schedules_and_automation_share_two_words_and_their_aliases() {
        for command in ["sensor s", "schedule s", "automation"] {
            for word in ["start", "stop", "on", "off"] {
                let line = format!("{command} {word}");
                assert_eq!(access_of(&line), Access::Write, "{line}");
            }
        }
    }
}
