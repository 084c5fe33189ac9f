//! Logging: one JSON object per line, for CloudWatch.

use tracing_subscriber::EnvFilter;

use super::variables;

/// The crates below the functions, by the start of their names. What they log at the levels DEBUG and TRACE
/// is about their own insides, and would be most of the log.
const OTHER_CRATES: [&str; 8] = [
    "aws_",
    "h2",
    "hyper",
    "lambda_",
    "object_store",
    "reqwest",
    "rustls",
    "tower",
];

/// Starts logging to stdout.
pub(super) fn start_logging() {
    let level = std::env::var(variables::LOG_LEVEL).unwrap_or_else(|_| "info".to_owned());
    // Fails when the process has a logger already; the first one stays.
    let _ = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .with_env_filter(EnvFilter::new(filter_for(&level.to_lowercase())))
        .try_init();
}

/// Returns the filter for a level: the crates below log nothing finer than INFO.
fn filter_for(level: &str) -> String {
    if !["debug", "trace"].contains(&level) {
        return level.to_owned();
    }
    let others = OTHER_CRATES.map(|name| format!("{name}=info"));
    format!("{level},{}", others.join(","))
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::EnvFilter;

    use super::filter_for;

    #[test]
    fn a_fine_level_is_for_the_project_and_precip() {
        assert_eq!(filter_for("warn"), "warn");
        let filter = filter_for("debug");
        assert!(filter.starts_with("debug,aws_=info,h2=info"), "{filter}");
        let directives = EnvFilter::try_new(&filter).unwrap().to_string();
        assert!(directives.contains("aws_=info"), "{directives}");
    }
}
