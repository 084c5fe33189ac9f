//! The definition's size.

use super::{Finding, Rule};
use crate::model::StateMachine;

/// Finds a definition that is larger than Step Functions accepts.
pub(super) fn check_size(machine: &StateMachine, findings: &mut Vec<Finding>) {
    let bytes = machine.deployed_bytes().unwrap_or(usize::MAX);
    if bytes > StateMachine::MAX_BYTES {
        findings.push(Finding {
            location: String::new(),
            rule: Rule::Size,
            message: format!(
                "the definition has {bytes} bytes: Step Functions accepts at most {}",
                StateMachine::MAX_BYTES
            ),
        });
    }
}
