//! The environment variables that the command line reads, all of them.

/// The folder of the embedded default: state and data, and below it those of each environment but the first.
/// `.precip` in the current folder unless given.
pub const HOME: &str = "PRECIP_HOME";

/// The environment to use, as the project's definitions name it: the first one unless given.
pub const ENVIRONMENT: &str = "PRECIP_ENV";

/// Where commands act: `local` unless given, or `aws`.
pub const ON: &str = "PRECIP_ON";

/// The name of the DynamoDB table that holds the record on AWS. Functions read it too.
pub const TABLE: &str = "PRECIP_TABLE";

/// The name of the bucket on AWS: data under `data/`, the files of runs under `runs/`. Functions read
/// it too.
pub const BUCKET: &str = "PRECIP_BUCKET";

/// The ARN of the state machine that runs are started with on AWS. Functions read it too.
pub const STATE_MACHINE: &str = "PRECIP_STATE_MACHINE_ARN";

/// Act as if it were this moment (RFC 3339). Which partitions exist depends on the moment.
pub const NOW: &str = "PRECIP_NOW";

/// Which messages are logged, as `tracing` directives such as `info` or `precip=debug`.
pub const LOG: &str = "PRECIP_LOG";
