//! The permissions of a state machine's role.

use serde_json::{Map, Value, json};

use super::{Finding, Rule, machine};
use crate::GeneratedFile;

/// Finds calls of a state machine that its role does not allow.
pub(super) fn check_role(
    template: &str,
    id: &str,
    resource: &Value,
    resources: &Map<String, Value>,
    files: &[GeneratedFile],
) -> Vec<Finding> {
    let Some((_, file)) = machine::definition_file(resource, files) else {
        return Vec::new();
    };
    let Some(role) = role_of(resource, resources) else {
        // SAM creates the role, with the permissions that the machine needs.
        return Vec::new();
    };
    let mut findings = Vec::new();
    let location = format!("Resources/{id}/Properties/Role");
    let mut not_allowed = |message: String| {
        findings.push(Finding::new(
            Rule::NotAllowed,
            template,
            &*location,
            message,
        ));
    };
    for function in called_functions(resource, resources) {
        let arn = json!({ "Fn::GetAtt": [function, "Arn"] });
        if !allows_action(role, "lambda:InvokeFunction", |named| *named == arn) {
            not_allowed(format!(
                "the machine calls `{function}`, but its role does not allow it: add \
                 `lambda:InvokeFunction` on `!GetAtt {function}.Arn`"
            ));
        }
    }
    // A Distributed Map starts executions of its own machine, which the role names by pattern.
    let distributed = file.is_some_and(|file| file.contents.contains("\"DISTRIBUTED\""));
    let name = resource.pointer("/Properties/Name/Fn::Sub");
    if let (true, Some(name)) = (distributed, name.and_then(Value::as_str)) {
        let suffix = format!(":stateMachine:{name}");
        let itself = |named: &Value| {
            let arn = named.get("Fn::Sub").and_then(Value::as_str);
            arn.is_some_and(|arn| arn.ends_with(&suffix))
        };
        if !allows_action(role, "states:StartExecution", itself) {
            not_allowed(format!(
                "the machine has a Distributed Map, which starts the machine's own children, but its \
                 role does not allow it: add `states:StartExecution` on `!Sub arn:...{suffix}`"
            ));
        }
    }
    findings
}

/// Returns the role of a state machine, if the template declares it.
fn role_of<'a>(resource: &Value, resources: &'a Map<String, Value>) -> Option<&'a Value> {
    let role = resource.pointer("/Properties/Role/Fn::GetAtt/0")?;
    resources.get(role.as_str()?)
}

/// Returns the functions whose ARNs replace placeholders.
fn called_functions<'a>(resource: &'a Value, resources: &Map<String, Value>) -> Vec<&'a str> {
    let substitutions = resource.pointer("/Properties/DefinitionSubstitutions");
    let values = substitutions
        .and_then(Value::as_object)
        .map(|map| map.values());
    let ids = values
        .into_iter()
        .flatten()
        .filter_map(|value| value.pointer("/Fn::GetAtt/0")?.as_str());
    let is_function = |id: &&str| {
        let kind = resources.get(*id).and_then(|resource| resource.get("Type"));
        kind.is_some_and(|kind| kind == "AWS::Serverless::Function")
    };
    ids.filter(is_function).collect()
}

/// Returns whether a role allows an action on a resource.
fn allows_action(role: &Value, action: &str, resource: impl Fn(&Value) -> bool) -> bool {
    let policies = role
        .pointer("/Properties/Policies")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let statements = policies
        .filter_map(|policy| policy.pointer("/PolicyDocument/Statement")?.as_array())
        .flatten();
    // Conditions are ignored: generated roles have none on these actions.
    let mut allowing = statements.filter(|statement| {
        statement["Effect"] == "Allow" && one_or_more(&statement["Action"]).any(|a| a == action)
    });
    allowing.any(|statement| one_or_more(&statement["Resource"]).any(&resource))
}

/// Iterates over a list, or over a single value in place of one.
fn one_or_more(value: &Value) -> impl Iterator<Item = &Value> {
    match value {
        Value::Array(items) => items.as_slice(),
        one => std::slice::from_ref(one),
    }
    .iter()
}
