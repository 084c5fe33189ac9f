//! The definition's size.

use super::{Finding, Rule};
use crate::model::StateMachine;

pub(super) fn check(machine: &StateMachine, findings: &mut Vec<Finding>) {
    let bytes = machine.to_json().map_or(usize::MAX, |json| json.len());
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
