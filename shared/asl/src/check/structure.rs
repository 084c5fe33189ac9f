//! The structure of a machine: names, transitions and ends.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Finding, Rule,
    walk::{Scope, join_location, visit_scopes},
};
use crate::model::{State, StateMachine, StateName};

/// Finds transitions to missing states, states that no path reaches, and names used twice.
pub(super) fn check_structure(machine: &StateMachine, findings: &mut Vec<Finding>) {
    let mut locations: BTreeMap<&StateName, Vec<String>> = BTreeMap::new();
    visit_scopes(machine, &mut |scope| {
        check_targets(scope, findings);
        // Without a start every state is unreachable, and one finding says that the start is
        // missing.
        if scope.states.contains_key(scope.start_at) {
            check_reachability(scope, findings);
            check_end(scope, findings);
        }
        for name in scope.states.keys() {
            locations
                .entry(name)
                .or_default()
                .push(join_location(&scope.location, name));
        }
    });
    // Names are unique in the whole definition, so all scopes are compared at once.
    for (name, locations) in locations
        .into_iter()
        .filter(|(_, locations)| locations.len() > 1)
    {
        findings.push(Finding {
            location: locations[1].clone(),
            rule: Rule::UniqueName,
            message: format!(
                "the name `{name}` is used {} times: rename all but one",
                locations.len()
            ),
        });
    }
}

/// Returns every state that a state can lead to.
fn successors(state: &State) -> impl Iterator<Item = &StateName> {
    state
        .next_states()
        .into_iter()
        .chain(state.catchers().iter().map(|catch| &catch.next))
}

/// Finds transitions to states that do not exist, and choices that may match nothing.
fn check_targets(scope: &Scope<'_>, findings: &mut Vec<Finding>) {
    let missing = |location: String, target: &StateName, from: &str| Finding {
        location,
        rule: Rule::TargetExists,
        message: format!("{from} names `{target}`, which is not a state of the same machine"),
    };
    if !scope.states.contains_key(scope.start_at) {
        findings.push(missing(scope.location.clone(), scope.start_at, "StartAt"));
    }
    for (name, state) in scope.states {
        let location = join_location(&scope.location, name);
        for target in successors(state).filter(|target| !scope.states.contains_key(*target)) {
            findings.push(missing(location.clone(), target, "a transition"));
        }
        if let State::Choice(choice) = state
            && (choice.choices.is_empty() || choice.default.is_none())
        {
            findings.push(Finding {
                location,
                rule: Rule::ChoiceDefault,
                message: "a choice needs at least one rule and a Default, or an execution that \
                          fits no rule fails with States.NoChoiceMatched"
                    .to_owned(),
            });
        }
    }
}

/// Returns the states that can be reached from the start.
fn reachable_states<'a>(scope: &Scope<'a>) -> BTreeSet<&'a StateName> {
    let mut reached = BTreeSet::new();
    // Depth first; a state is followed only when it is seen for the first time.
    let mut next = vec![scope.start_at];
    while let Some(name) = next.pop() {
        if let Some(state) = scope.states.get(name)
            && reached.insert(name)
        {
            next.extend(successors(state));
        }
    }
    reached
}

/// Finds states that no path from the start reaches.
fn check_reachability(scope: &Scope<'_>, findings: &mut Vec<Finding>) {
    let reached = reachable_states(scope);
    for name in scope.states.keys().filter(|name| !reached.contains(name)) {
        findings.push(Finding {
            location: join_location(&scope.location, name),
            rule: Rule::Reachable,
            message: "no state leads here: remove it, or add a transition to it".to_owned(),
        });
    }
}

/// Finds a machine without an end that can be reached.
fn check_end(scope: &Scope<'_>, findings: &mut Vec<Finding>) {
    // An end that nothing reaches does not count.
    let ends = reachable_states(scope)
        .into_iter()
        .any(|name| scope.states[name].next_states().is_empty());
    if !ends {
        findings.push(Finding {
            location: scope.location.clone(),
            rule: Rule::Ends,
            message: "no reachable state ends the machine: give one `End: true`, or a Succeed or \
                      Fail state"
                .to_owned(),
        });
    }
}
