//! Substitutions: values that are known only when a machine is deployed, such as `${PlannerArn}`.

use std::collections::BTreeSet;

use precip_core::spec::{ComputeProfile, profile_name};
use serde_json::Value;

use crate::{
    check::walk,
    model::{PARTITION, State, StateMachine},
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

/// Returns the resource of an integration of Step Functions, such as `lambda:invoke`.
pub(super) fn integration(name: &str) -> String {
    format!("arn:{}:states:::{name}", placeholder(PARTITION))
}

/// Returns the names of the substitutions that a machine uses: in its tasks' resources and parameters, and
/// in those of its maps' readers and writers.
pub fn substitutions(machine: &StateMachine) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut collect = |resource: &str, parameters: Option<&Value>| {
        collect_names_of_text(resource, &mut found);
        parameters
            .iter()
            .for_each(|value| collect_names(value, &mut found));
    };
    walk::visit_states(machine, &mut |_, state| match state {
        State::Task(task) => collect(&task.resource, task.parameters.as_ref()),
        // The states inside a map are visited on their own; here only its reader and writer.
        State::Map(map) => {
            if let Some(reader) = &map.item_reader {
                collect(&reader.resource, Some(&reader.parameters));
            }
            if let Some(writer) = &map.result_writer {
                collect(&writer.resource, Some(&writer.parameters));
            }
        }
        _ => {}
    });
    found
}

fn collect_names_of_text(text: &str, found: &mut BTreeSet<String>) {
    let starts = text.split("${").skip(1);
    let names = starts.filter_map(|rest| rest.split_once('}'));
    found.extend(names.map(|(name, _)| name.to_owned()));
}

/// Adds the names of the substitutions in a value and everything nested in it.
fn collect_names(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => collect_names_of_text(text, found),
        Value::Array(values) => values.iter().for_each(|value| collect_names(value, found)),
        Value::Object(fields) => fields
            .values()
            .for_each(|value| collect_names(value, found)),
        _ => {}
    }
}
