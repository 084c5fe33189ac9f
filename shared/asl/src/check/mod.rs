//! What must be true of a machine before it is deployed.
//!
//! Step Functions refuses some of these when the machine is created, some when an execution reaches
//! the state, and some never: it then does something else than was meant. Public validators miss
//! several of them, which is why they are here.

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

/// Everything that is wrong with a machine, in the order of its states. Nothing wrong gives an empty
/// list.
pub fn check(machine: &StateMachine) -> Vec<Finding> {
    let mut findings = Vec::new();
    structure::check(machine, &mut findings);
    walk::states(machine, &mut |place, state| {
        error_handling::check(place, state, &mut findings);
        task::check(place, state, &mut findings);
        map::check(place, state, &mut findings);
        path::check(place, state, &mut findings);
    });
    size::check(machine, &mut findings);
    findings
}

#[cfg(test)]
mod tests;
