//! Checks of a machine before it is deployed.
//!
//! Step Functions refuses some mistakes when the machine is created, some when an execution reaches
//! the state, and some never: it then does something other than intended. Public validators miss
//! several of them.

mod error_handling;
mod finding;
mod map;
mod path;
mod size;
mod structure;
mod task;
pub(crate) mod walk;

pub use finding::{Finding, Rule};

use crate::model::StateMachine;

/// Returns every mistake in a machine, in the order of its states. A valid machine has none.
pub fn check_machine(machine: &StateMachine) -> Vec<Finding> {
    let mut findings = Vec::new();
    structure::check_structure(machine, &mut findings);
    walk::visit_states(machine, &mut |location, state| {
        error_handling::check_state(location, state, &mut findings);
        task::check_state(location, state, &mut findings);
        map::check_state(location, state, &mut findings);
        path::check_state(location, state, &mut findings);
    });
    size::check_size(machine, &mut findings);
    findings
}

#[cfg(test)]
mod tests;
