//! Events of a run in words.

use precip_core::plan::Step;
use precip_engine::{
    run::{ItemFailure, RunEvent},
    state::{FailedAttempt, PartitionRef},
};

use crate::output::format_duration;

/// Returns the line for an event that deserves one: a failure or a retry.
pub(super) fn event_line(event: &RunEvent<'_>) -> Option<String> {
    match event {
        RunEvent::Ended { outcome, .. } if !outcome.failures.is_empty() => {
            // One item may hold several partitions, and each may fail.
            let lines: Vec<String> = outcome.failures.iter().map(describe_failure).collect();
            Some(lines.join("\n"))
        }
        RunEvent::Retrying {
            step,
            attempt,
            message,
            wait,
            ..
        } => {
            let wait = chrono::TimeDelta::from_std(*wait).unwrap_or_default();
            Some(format!(
                "{}: attempt {attempt} failed: {message}; next try in {}",
                step_name(step),
                format_duration(wait)
            ))
        }
        _ => None,
    }
}

/// Describes a failure with its causes.
pub(crate) fn describe_failure(failure: &ItemFailure) -> String {
    with_causes(&failure.target, &failure.message, &failure.causes)
}

fn with_causes(target: &PartitionRef, message: &str, causes: &[String]) -> String {
    let mut text = format!("failed {target}: {message}");
    for cause in causes {
        text.push_str("\n  caused by: ");
        text.push_str(cause);
    }
    text
}

/// Describes a failed attempt of the record with its causes.
pub(crate) fn describe_attempt(failed: &FailedAttempt) -> String {
    with_causes(&failed.target, &failed.message, &failed.causes)
}

/// Returns the name of a step: its op.
pub(super) fn step_name(step: &Step) -> &str {
    &step.op
}
