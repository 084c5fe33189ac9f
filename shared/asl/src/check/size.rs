//! The definition's size.

use super::{Finding, Rule};
use crate::model::StateMachine;

pub(super) fn check(machine: &StateMachine, findings: &mut Vec<Finding>) {
    let bytes = machine.deployed_bytes().unwrap_or(usize::MAX);
    if bytes > StateMachine::MAX_BYTES {
        findings.push(Finding {
            place: String::new(),
            rule: Rule::Size,
            message: format!(
                "the definition has {bytes} bytes: Step Functions takes {}",
                StateMachine::MAX_BYTES
            ),
        });
    }
}
