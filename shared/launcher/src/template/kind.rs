//! [`Template`] and [`Deploy`].

use clap::ValueEnum;

/// A project to start from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Template {
    /// Two assets, from one landing file
    #[default]
    Minimal,
    /// Daily and weekly tables, as Parquet files in folders that query engines read
    Files,
    /// Tables in DuckDB, and an asset in SQL
    Duckdb,
    /// Files on a laptop, tables in Snowflake elsewhere
    Snowflake,
}

impl Template {
    /// Returns the name of the template on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Minimal => "minimal",
            Self::Files => "files",
            Self::Duckdb => "duckdb",
            Self::Snowflake => "snowflake",
        }
    }
}

/// The tool that deploys a project on AWS.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Deploy {
    /// None: the project runs on this machine
    #[default]
    None,
    /// AWS SAM
    Sam,
    /// AWS CDK, in TypeScript
    CdkTs,
    /// AWS CDK, in Python
    CdkPy,
}

impl Deploy {
    /// Returns the name of the tool on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Sam => "sam",
            Self::CdkTs => "cdk-ts",
            Self::CdkPy => "cdk-py",
        }
    }

    /// Returns whether the project runs on AWS.
    pub(crate) fn is_aws(self) -> bool {
        !matches!(self, Self::None)
    }
}
