//! Substitutions: values that are known only when a machine is deployed, such as `${PlannerArn}`.

use std::collections::BTreeSet;

use precip_core::spec::{ComputeProfile, profile_name};
use serde_json::Value;

use crate::{
    check::walk,
    model::{State, StateMachine},
};

/// The planner's ARN.
pub const PLANNER: &str = "PlannerArn";

/// The name of the bucket that holds the manifests.
pub const BUCKET: &str = "Bucket";

/// The ARN of the machine for runs that are too large for one execution.
pub const BACKFILL: &str = "BackfillStateMachineArn";

/// Returns the name of the substitution that holds the ARN of the function for a compute profile.
///
/// ```
/// use precip_asl::compile::function_substitution;
/// use precip_core::spec::ComputeProfile;
///
/// assert_eq!(function_substitution(&ComputeProfile::default()), "Materializer512MiB60sArn");
/// ```
pub fn function_substitution(profile: &ComputeProfile) -> String {
    format!("Materializer{}Arn", profile_name(profile))
}

/// Returns a substitution as it is written in a definition.
pub(super) fn placeholder(name: &str) -> String {
    format!("${{{name}}}")
}

/// Returns the names of the substitutions that a machine uses: in the parameters of its tasks, and
/// of its maps' readers and writers.
pub fn substitutions(machine: &StateMachine) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    walk::visit_states(machine, &mut |_, state| match state {
        State::Task(task) => task
            .parameters
            .iter()
            .for_each(|value| collect_names(value, &mut found)),
        State::Map(map) => {
            // The states inside a map are visited on their own; here only its reader and writer.
            let reader = map.item_reader.as_ref().map(|reader| &reader.parameters);
            let writer = map.result_writer.as_ref().map(|writer| &writer.parameters);
            let parameters = reader.into_iter().chain(writer);
            parameters.for_each(|value| collect_names(value, &mut found));
        }
        _ => {}
    });
    found
}

/// Adds the names of the substitutions in a value and everything nested in it.
fn collect_names(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => {
            let starts = text.split("${").skip(1);
            let names = starts.filter_map(|rest| rest.split_once('}'));
            found.extend(names.map(|(name, _)| name.to_owned()));
        }
        Value::Array(values) => values.iter().for_each(|value| collect_names(value, found)),
        Value::Object(fields) => fields
            .values()
            .for_each(|value| collect_names(value, found)),
        _ => {}
    }
}
