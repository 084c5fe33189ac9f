//! Logging: one JSON object per line, for CloudWatch.

use tracing_subscriber::EnvFilter;

use super::variables;

/// Starts logging to stdout.
pub(super) fn start_logging() {
    let level = std::env::var(variables::LOG_LEVEL).unwrap_or_else(|_| "info".to_owned());
    // Fails when the process has a logger already; the first one stays.
    let _ = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .with_env_filter(EnvFilter::new(level.to_lowercase()))
        .try_init();
}
