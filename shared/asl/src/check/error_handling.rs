//! Retriers and catchers.

use std::collections::BTreeSet;

use super::{Finding, Rule};
use crate::model::{Retry, STATES_ALL, State};

/// AWS's limits:
/// <https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html>.
const MAX_ATTEMPTS: u32 = 99_999_999;
const MAX_INTERVAL_SECONDS: u32 = 99_999_999;
const MAX_DELAY_SECONDS: u32 = 31_622_400;

/// Finds invalid retriers and catchers of a state.
pub(super) fn check_state(location: &str, state: &State, findings: &mut Vec<Finding>) {
    let mut finding = |rule, message: String| {
        findings.push(Finding {
            location: location.to_owned(),
            rule,
            message,
        });
    };
    let retriers = state
        .retriers()
        .iter()
        .map(|retry| &retry.error_equals)
        .collect();
    let catchers = state
        .catchers()
        .iter()
        .map(|catch| &catch.error_equals)
        .collect();
    for (what, lists) in [("retrier", retriers), ("catcher", catchers)] {
        let lists: Vec<&Vec<String>> = lists;
        // `States.ALL` has a rule of its own below.
        let mut named = BTreeSet::new();
        let mut twice = lists
            .iter()
            .copied()
            .flatten()
            .filter(|error| *error != STATES_ALL && !named.insert(*error));
        if let Some(error) = twice.next() {
            finding(
                Rule::ErrorHandling,
                format!("`{error}` is named twice: the second {what} never sees it"),
            );
        }
        // States.ALL matches every error: anything after it, or next to it, never matches.
        for (index, errors) in lists.iter().enumerate() {
            let all = errors.iter().any(|error| error == STATES_ALL);
            if errors.is_empty() {
                finding(
                    Rule::ErrorHandling,
                    format!("a {what} names no error: list at least one"),
                );
            } else if all && (errors.len() > 1 || index + 1 < lists.len()) {
                finding(
                    Rule::CatchAllLast,
                    format!("{STATES_ALL} must be the only error of its list, in the last {what}"),
                );
            }
        }
    }
    for problem in state.retriers().iter().filter_map(invalid_number) {
        finding(Rule::ErrorHandling, problem);
    }
}

/// Returns the first number of a retrier that is out of AWS's range, as a message.
fn invalid_number(retry: &Retry) -> Option<String> {
    let interval = retry.interval_seconds.unwrap_or(1);
    if interval == 0 || interval >= MAX_INTERVAL_SECONDS {
        return Some(format!(
            "IntervalSeconds is {interval}: it must be 1 to 99999998"
        ));
    }
    if retry
        .max_attempts
        .is_some_and(|attempts| attempts > MAX_ATTEMPTS)
    {
        return Some(format!("MaxAttempts must be at most {MAX_ATTEMPTS}"));
    }
    if retry
        .backoff_rate
        .is_some_and(|rate| !(rate >= 1.0 && rate.is_finite()))
    {
        return Some("BackoffRate must be at least 1.0".to_owned());
    }
    if let Some(delay) = retry.max_delay_seconds
        && (delay <= interval || delay >= MAX_DELAY_SECONDS)
    {
        return Some(format!(
            "MaxDelaySeconds is {delay}: it must be more than IntervalSeconds ({interval}) and \
                 less than {MAX_DELAY_SECONDS}"
        ));
    }
    None
}
