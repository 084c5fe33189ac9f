//! Task states.

use super::{Finding, Rule};
use crate::model::State;

/// The integrations that generated machines may use.
const INTEGRATIONS: [&str; 3] = [
    "lambda:invoke",
    "aws-sdk:lambda:getAccountSettings",
    "states:startExecution.sync:2",
];

/// Finds invalid integrations, timeouts and heartbeats of a task.
pub(super) fn check_state(location: &str, state: &State, findings: &mut Vec<Finding>) {
    let State::Task(task) = state else { return };
    let mut finding = |rule, message: String| {
        findings.push(Finding {
            location: location.to_owned(),
            rule,
            message,
        });
    };
    // The partition of AWS differs: `arn:aws:states:::`, `arn:aws-cn:states:::`.
    let name = task.resource.split_once(":states:::").map(|(_, name)| name);
    if !name.is_some_and(|name| INTEGRATIONS.contains(&name)) {
        finding(
            Rule::Integration,
            format!(
                "`{}` is not an integration that Precip uses: {}",
                task.resource,
                INTEGRATIONS.join(", ")
            ),
        );
    }
    if task.timeout_seconds == Some(0) {
        finding(
            Rule::Timeout,
            "TimeoutSeconds must be at least 1".to_owned(),
        );
    }
    if let Some(heartbeat) = task.heartbeat_seconds {
        // Step Functions' default timeout.
        let timeout = task.timeout_seconds.unwrap_or(99_999_999);
        if heartbeat == 0 || heartbeat >= timeout {
            finding(
                Rule::Timeout,
                format!(
                    "HeartbeatSeconds ({heartbeat}) must be at least 1 and less than TimeoutSeconds ({timeout})"
                ),
            );
        }
    }
}
