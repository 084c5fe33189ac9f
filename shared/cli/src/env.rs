//! The environment variables that the command line reads, all of them.

/// The folder of the embedded default: state and data. `.precip` in the current folder unless given.
pub const HOME: &str = "PRECIP_HOME";

/// The environment to use, as the project's definitions name it: the first one unless given.
pub const ENVIRONMENT: &str = "PRECIP_ENV";

/// Act as if it were this moment (RFC 3339). Which partitions exist depends on the moment.
pub const NOW: &str = "PRECIP_NOW";

/// Which messages are logged, as `tracing` directives such as `info` or `precip=debug`.
pub const LOG: &str = "PRECIP_LOG";
