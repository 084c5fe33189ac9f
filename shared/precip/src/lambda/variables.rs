//! All environment variables that the functions read. The generated template sets them.

/// The name of the DynamoDB table.
pub const TABLE: &str = precip_cli::env::TABLE;

/// The name of the bucket: data under `data/`, the files of runs under `runs/`.
pub const BUCKET: &str = precip_cli::env::BUCKET;

/// The environment to use, by its name in the project's definitions: the first one by default.
pub const ENVIRONMENT: &str = precip_cli::env::ENVIRONMENT;

/// The ARN of the state machine that runs are started with. Read by the functions that start runs.
pub const STATE_MACHINE: &str = precip_cli::env::STATE_MACHINE;

/// The group of the schedules that invoke the reactor at a given time. Read by the reactor.
pub const TICK_GROUP: &str = "PRECIP_TICK_GROUP";

/// The ARN of the role with which they invoke it. Read by the reactor.
pub const TICK_ROLE: &str = "PRECIP_TICK_ROLE_ARN";

/// The ARN of the topic for changes of freshness. Read by the reactor.
pub const FRESHNESS_TOPIC: &str = "PRECIP_FRESHNESS_TOPIC_ARN";

/// The number of functions that a run invokes at once, at most. Read by the planner.
pub const MAX_CONCURRENCY: &str = "PRECIP_MAX_CONCURRENCY";

/// The concurrency that is reserved for each materializer, or 0. Read by the planner.
pub const RESERVED_CONCURRENCY: &str = "PRECIP_RESERVED_CONCURRENCY";

/// The lowest level of log messages. Lambda sets it from the function's logging configuration.
///
/// Source: <https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-logformat.html>
pub const LOG_LEVEL: &str = "AWS_LAMBDA_LOG_LEVEL";
