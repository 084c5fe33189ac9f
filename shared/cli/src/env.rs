//! All environment variables that the command line reads.

/// The home: the folder for state and data, and for those of other environments below it. `.precip` in the
/// current folder unless given.
pub const HOME: &str = "PRECIP_HOME";

/// The name of the environment to use: the project's first one unless given.
pub const ENVIRONMENT: &str = "PRECIP_ENV";

/// The target of commands: `local` or `aws`; `local` unless given.
pub const ON: &str = "PRECIP_ON";

/// The name of the DynamoDB table that holds the record on AWS. Functions read it too.
pub const TABLE: &str = "PRECIP_TABLE";

/// The name of the bucket on AWS: data under `data/`, the files of runs under `runs/`. Functions read
/// it too.
pub const BUCKET: &str = "PRECIP_BUCKET";

/// The ARN of the state machine that runs are started with on AWS. Functions read it too.
pub const STATE_MACHINE: &str = "PRECIP_STATE_MACHINE_ARN";

/// The time to act as if it were (RFC 3339). The partitions that exist depend on it.
pub const NOW: &str = "PRECIP_NOW";

/// The age up to which `gc` keeps plans of ended runs and unreferenced events. The default is `90d`.
pub const KEEP_HISTORY: &str = "PRECIP_KEEP_HISTORY";

/// The messages to log, as `tracing` directives such as `info` or `precip=debug`.
pub const LOG: &str = "PRECIP_LOG";
