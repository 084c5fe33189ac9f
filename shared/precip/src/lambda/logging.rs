//! Logs: one JSON object a line, as CloudWatch takes them.

use tracing_subscriber::EnvFilter;

use super::variables;

/// Writes log lines to stdout from here on.
pub(super) fn begin() {
    let level = std::env::var(variables::LOG_LEVEL).unwrap_or_else(|_| "info".to_owned());
    // A second call in one process changes nothing.
    let _ = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .with_env_filter(EnvFilter::new(level.to_lowercase()))
        .try_init();
}
