//! Events of a run in words.

use precip_core::plan::Step;
use precip_engine::{
    run::{ItemFailure, RunEvent},
    state::{Failure as FailedAttempt, PartitionRef},
};

use crate::output::duration;

/// What is worth a line of its own: failures and retries.
pub(super) fn line(event: &RunEvent<'_>) -> Option<String> {
    match event {
        RunEvent::Ended { outcome, .. } if !outcome.failures.is_empty() => {
            let lines: Vec<String> = outcome.failures.iter().map(failure).collect();
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
                name(step),
                duration(wait)
            ))
        }
        _ => None,
    }
}

/// A failure with what led to it.
pub(crate) fn failure(failure: &ItemFailure) -> String {
    told(&failure.target, &failure.message, &failure.causes)
}

fn told(target: &PartitionRef, message: &str, causes: &[String]) -> String {
    let mut text = format!("failed {target}: {message}");
    for cause in causes {
        text.push_str("\n  caused by: ");
        text.push_str(cause);
    }
    text
}

/// A failed attempt, as it is on record, with what led to it.
pub(crate) fn attempt(failed: &FailedAttempt) -> String {
    told(&failed.target, &failed.message, &failed.causes)
}

/// What a step makes, or checks.
pub(super) fn name(step: &Step) -> &str {
    &step.op
}
