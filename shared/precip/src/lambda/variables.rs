//! The environment variables that functions read, all of them. The generated template sets them.

/// The name of the DynamoDB table.
pub const TABLE: &str = precip_cli::env::TABLE;

/// The name of the bucket: data under `data/`, the files of runs under `runs/`.
pub const BUCKET: &str = precip_cli::env::BUCKET;

/// The environment to use, as the project's definitions name it: the first one unless given.
pub const ENVIRONMENT: &str = precip_cli::env::ENVIRONMENT;

/// The ARN of the state machine that runs are started with; the functions that start runs read it.
pub const STATE_MACHINE: &str = precip_cli::env::STATE_MACHINE;

/// The group of the schedules that call the reactor when it is time; the reactor reads it.
pub const TICK_GROUP: &str = "PRECIP_TICK_GROUP";

/// The ARN of the role with which they do; the reactor reads it.
pub const TICK_ROLE: &str = "PRECIP_TICK_ROLE_ARN";

/// The ARN of the topic that hears of changes of freshness; the reactor reads it.
pub const FRESHNESS_TOPIC: &str = "PRECIP_FRESHNESS_TOPIC_ARN";

/// How many rows of a manifest are worked on at once; the planner reads it.
pub const MAX_CONCURRENCY: &str = "PRECIP_MAX_CONCURRENCY";

/// The least important messages that are logged. Lambda sets it from the function's logging
/// configuration.
///
/// Source: <https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-logformat.html>
pub const LOG_LEVEL: &str = "AWS_LAMBDA_LOG_LEVEL";
