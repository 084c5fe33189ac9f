//! The environment variables that functions read, all of them. The generated template sets them.

/// The name of the DynamoDB table.
pub const TABLE: &str = precip_cli::env::TABLE;

/// The name of the bucket: data under `data/`, the files of runs under `runs/`.
pub const BUCKET: &str = precip_cli::env::BUCKET;

/// The environment to use, as the project's definitions name it: the first one unless given.
pub const ENVIRONMENT: &str = precip_cli::env::ENVIRONMENT;

/// The ARN of the state machine that runs are started with; the functions that start runs read it.
pub const STATE_MACHINE: &str = precip_cli::env::STATE_MACHINE;

/// How many rows of a manifest are worked on at once; the planner reads it.
pub const MAX_CONCURRENCY: &str = "PRECIP_MAX_CONCURRENCY";

/// The least important messages that are logged. Lambda sets it from the function's logging
/// configuration.
///
/// Source: <https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-logformat.html>
pub const LOG_LEVEL: &str = "AWS_LAMBDA_LOG_LEVEL";
