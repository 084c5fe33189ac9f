//! A walk over every state of a machine, nested ones included.

use crate::model::{State, StateMachine, StateName, States};

/// The states of a machine, or of a machine nested in it.
pub(crate) struct Scope<'a> {
    /// The states around it, outermost first, joined by ` / `; empty for the machine itself.
    pub(crate) location: String,
    pub(crate) start_at: &'a StateName,
    pub(crate) states: &'a States,
}

/// Calls `visit` with the machine and with each nested machine.
pub(crate) fn visit_scopes<'a>(machine: &'a StateMachine, visit: &mut impl FnMut(&Scope<'a>)) {
    let scope = Scope {
        location: String::new(),
        start_at: &machine.start_at,
        states: &machine.states,
    };
    visit_nested(&scope, visit);
}

/// Calls `visit` with a scope and everything nested in it.
fn visit_nested<'a>(scope: &Scope<'a>, visit: &mut impl FnMut(&Scope<'a>)) {
    visit(scope);
    for (name, state) in scope.states {
        let location = join_location(&scope.location, name);
        match state {
            State::Map(map) => {
                let processor = &map.item_processor;
                let inner = Scope {
                    location,
                    start_at: &processor.start_at,
                    states: &processor.states,
                };
                visit_nested(&inner, visit);
            }
            State::Parallel(parallel) => {
                for branch in &parallel.branches {
                    let inner = Scope {
                        location: location.clone(),
                        start_at: &branch.start_at,
                        states: &branch.states,
                    };
                    visit_nested(&inner, visit);
                }
            }
            _ => {}
        }
    }
}

/// Calls `visit` with every state and its location, written `outer / inner`.
pub(crate) fn visit_states<'a>(machine: &'a StateMachine, visit: &mut impl FnMut(&str, &'a State)) {
    visit_scopes(machine, &mut |scope| {
        for (name, state) in scope.states {
            visit(&join_location(&scope.location, name), state);
        }
    });
}

/// Returns the location of a state within a scope.
pub(crate) fn join_location(location: &str, name: &StateName) -> String {
    if location.is_empty() {
        name.to_string()
    } else {
        format!("{location} / {name}")
    }
}
