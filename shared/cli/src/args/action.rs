//! Actions, formats and filters of commands.

use clap::{Subcommand, ValueEnum};

/// An action on a sensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Subcommand)]
pub enum SensorAction {
    /// Turn the sensor on
    #[command(alias = "on")]
    Start,
    /// Turn the sensor off
    #[command(alias = "off")]
    Stop,
    /// Forget which events were handled
    ResetCursor,
}

/// An action on a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Subcommand)]
pub enum ScheduleAction {
    /// List the next ticks with their partitions
    Preview {
        /// Number of ticks
        #[arg(short = 'n', long, default_value_t = 10, value_name = "N")]
        count: usize,
    },
    /// Turn the schedule on
    #[command(alias = "on")]
    Start,
    /// Turn the schedule off
    #[command(alias = "off")]
    Stop,
}

/// An action on the keys of a dynamic partitions set.
#[derive(Debug, Clone, Subcommand)]
pub enum DynamicAction {
    /// List the keys
    List,
    /// Add keys
    Add {
        /// Keys to add
        #[arg(required = true)]
        keys: Vec<String>,
    },
    /// Remove keys
    Remove {
        /// Keys to remove
        #[arg(required = true)]
        keys: Vec<String>,
    },
}

/// An action on the pools.
#[derive(Debug, Clone, Subcommand)]
pub enum PoolAction {
    /// List the pools
    List,
    /// Set a pool's limit
    Limit {
        /// Name of the pool
        pool: String,
        /// Number of ops that run at once; no limit unless given
        slots: Option<u32>,
    },
}

/// An action on the automation conditions.
#[derive(Debug, Clone, Subcommand)]
pub enum AutomationAction {
    /// List the assets that have a condition
    List,
    /// Explain why an asset would be requested now, or not
    Explain {
        /// Asset key
        key: String,
    },
    /// Show whether automation is on, and its last tick
    Status,
    /// Turn automation on
    #[command(alias = "on")]
    Start,
    /// Turn automation off: changes are handled once it is on again
    #[command(alias = "off")]
    Stop,
    /// Explain past evaluations: why automation requested an asset, or did not
    History {
        /// Asset key
        key: String,
        /// Maximum number of evaluations
        #[arg(short = 'n', long, default_value_t = 3, value_name = "N")]
        limit: usize,
    },
}

/// The format of a drawn graph.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum GraphFormat {
    /// An SVG image
    #[default]
    Svg,
    /// A Mermaid flow chart
    Mermaid,
    /// Graphviz's DOT language
    Dot,
}

/// The format of printed rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum TableFormat {
    /// Aligned columns
    #[default]
    Table,
    /// Comma-separated values with a header
    Csv,
    /// A JSON list of rows
    Json,
}

/// The status of a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum StatusFilter {
    /// Never materialized, and not skipped
    Missing,
    /// Materialized
    Materialized,
    /// Failed at the last attempt
    Failed,
    /// Nothing to make at the last attempt, or nothing to make it from
    Skipped,
}
