//! Every state of a machine, nested ones included.

use crate::model::{State, StateMachine, StateName, States};

/// A machine's states, or those of one nested machine.
pub(crate) struct Scope<'a> {
    /// The states it is nested in, outermost first, joined by ` / `; empty for the machine itself.
    pub(crate) place: String,
    pub(crate) start_at: &'a StateName,
    pub(crate) states: &'a States,
}

/// Calls `visit` with the machine itself and with each nested machine.
pub(crate) fn scopes<'a>(machine: &'a StateMachine, visit: &mut impl FnMut(&Scope<'a>)) {
    let scope = Scope {
        place: String::new(),
        start_at: &machine.start_at,
        states: &machine.states,
    };
    descend(&scope, visit);
}

fn descend<'a>(scope: &Scope<'a>, visit: &mut impl FnMut(&Scope<'a>)) {
    visit(scope);
    for (name, state) in scope.states {
        let place = join(&scope.place, name);
        match state {
            State::Map(map) => {
                let processor = &map.item_processor;
                let inner = Scope {
                    place,
                    start_at: &processor.start_at,
                    states: &processor.states,
                };
                descend(&inner, visit);
            }
            State::Parallel(parallel) => {
                for branch in &parallel.branches {
                    let place = place.clone();
                    let inner = Scope {
                        place,
                        start_at: &branch.start_at,
                        states: &branch.states,
                    };
                    descend(&inner, visit);
                }
            }
            _ => {}
        }
    }
}

/// Calls `visit` with every state and its place, written `outer / inner`.
pub(crate) fn states<'a>(machine: &'a StateMachine, visit: &mut impl FnMut(&str, &'a State)) {
    scopes(machine, &mut |scope| {
        for (name, state) in scope.states {
            visit(&join(&scope.place, name), state);
        }
    });
}

pub(crate) fn join(place: &str, name: &StateName) -> String {
    if place.is_empty() {
        name.to_string()
    } else {
        format!("{place} / {name}")
    }
}
