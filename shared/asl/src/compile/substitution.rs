//! What is only known where a machine is deployed: `${PlannerArn}` and the like.

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

/// The ARN of the machine that runs what is too much for one execution.
pub const BACKFILL: &str = "BackfillStateMachineArn";

/// The name of the substitution that holds the ARN of the function for a compute profile.
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

/// A substitution as it stands in a definition.
pub(super) fn placeholder(name: &str) -> String {
    format!("${{{name}}}")
}

/// The names of the substitutions that a machine uses: in the parameters of its tasks, and where its
/// maps read and write.
pub fn substitutions(machine: &StateMachine) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    walk::states(machine, &mut |_, state| match state {
        State::Task(task) => task
            .parameters
            .iter()
            .for_each(|value| collect(value, &mut found)),
        State::Map(map) => {
            let reader = map.item_reader.as_ref().map(|reader| &reader.parameters);
            let writer = map.result_writer.as_ref().map(|writer| &writer.parameters);
            let parameters = reader.into_iter().chain(writer);
            parameters.for_each(|value| collect(value, &mut found));
        }
        _ => {}
    });
    found
}

fn collect(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => {
            let starts = text.split("${").skip(1);
            let names = starts.filter_map(|rest| rest.split_once('}'));
            found.extend(names.map(|(name, _)| name.to_owned()));
        }
        Value::Array(values) => values.iter().for_each(|value| collect(value, found)),
        Value::Object(fields) => fields.values().for_each(|value| collect(value, found)),
        _ => {}
    }
}
