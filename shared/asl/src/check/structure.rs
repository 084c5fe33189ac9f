//! How the states of a machine hang together.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Finding, Rule,
    walk::{Scope, join, scopes},
};
use crate::model::{State, StateMachine, StateName};

pub(super) fn check(machine: &StateMachine, findings: &mut Vec<Finding>) {
    let mut places: BTreeMap<&StateName, Vec<String>> = BTreeMap::new();
    scopes(machine, &mut |scope| {
        targets(scope, findings);
        // Without a start nothing is reachable, which says no more than that the start is missing.
        if scope.states.contains_key(scope.start_at) {
            reachable(scope, findings);
            ends(scope, findings);
        }
        for name in scope.states.keys() {
            places
                .entry(name)
                .or_default()
                .push(join(&scope.place, name));
        }
    });
    for (name, places) in places.into_iter().filter(|(_, places)| places.len() > 1) {
        findings.push(Finding {
            place: places[1].clone(),
            rule: Rule::UniqueName,
            message: format!(
                "the name `{name}` is used {} times: rename all but one",
                places.len()
            ),
        });
    }
}

/// Everything a state can go to.
fn successors(state: &State) -> impl Iterator<Item = &StateName> {
    state
        .next()
        .into_iter()
        .chain(state.catch().iter().map(|catch| &catch.next))
}

fn targets(scope: &Scope<'_>, findings: &mut Vec<Finding>) {
    let missing = |place: String, target: &StateName, from: &str| Finding {
        place,
        rule: Rule::TargetExists,
        message: format!("{from} names `{target}`, which is not a state of the same machine"),
    };
    if !scope.states.contains_key(scope.start_at) {
        findings.push(missing(scope.place.clone(), scope.start_at, "StartAt"));
    }
    for (name, state) in scope.states {
        let place = join(&scope.place, name);
        for target in successors(state).filter(|target| !scope.states.contains_key(*target)) {
            findings.push(missing(place.clone(), target, "a transition"));
        }
        if let State::Choice(choice) = state
            && (choice.choices.is_empty() || choice.default.is_none())
        {
            findings.push(Finding {
                place,
                rule: Rule::ChoiceDefault,
                message: "a choice needs at least one rule and a Default, or an execution that \
                          fits no rule fails with States.NoChoiceMatched"
                    .to_owned(),
            });
        }
    }
}

fn reached<'a>(scope: &Scope<'a>) -> BTreeSet<&'a StateName> {
    let mut reached = BTreeSet::new();
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

fn reachable(scope: &Scope<'_>, findings: &mut Vec<Finding>) {
    let reached = reached(scope);
    for name in scope.states.keys().filter(|name| !reached.contains(name)) {
        findings.push(Finding {
            place: join(&scope.place, name),
            rule: Rule::Reachable,
            message: "no state leads here: remove it, or lead to it".to_owned(),
        });
    }
}

fn ends(scope: &Scope<'_>, findings: &mut Vec<Finding>) {
    let ends = reached(scope)
        .into_iter()
        .any(|name| scope.states[name].next().is_empty());
    if !ends {
        findings.push(Finding {
            place: scope.place.clone(),
            rule: Rule::Ends,
            message: "no reachable state ends the machine: give one `End: true`, or a Succeed or \
                      Fail state"
                .to_owned(),
        });
    }
}
