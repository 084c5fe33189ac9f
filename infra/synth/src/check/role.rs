//! Whether the role of a state machine allows what the machine calls.

use serde_json::{Map, Value, json};

use super::{Finding, Rule, machine};
use crate::GeneratedFile;

pub(super) fn check(
    template: &str,
    id: &str,
    resource: &Value,
    resources: &Map<String, Value>,
    files: &[GeneratedFile],
) -> Vec<Finding> {
    let Some((_, file)) = machine::definition(resource, files) else {
        return Vec::new();
    };
    let Some(role) = role_of(resource, resources) else {
        // SAM makes the role.
        return Vec::new();
    };
    let mut findings = Vec::new();
    let place = format!("Resources/{id}/Properties/Role");
    let mut not_allowed = |message: String| {
        findings.push(Finding::new(Rule::NotAllowed, template, &*place, message));
    };
    for function in functions(resource, resources) {
        let arn = json!({ "Fn::GetAtt": [function, "Arn"] });
        if !allows(role, "lambda:InvokeFunction", |named| *named == arn) {
            not_allowed(format!(
                "the machine calls `{function}` and its role does not allow it: add \
                 `lambda:InvokeFunction` on `!GetAtt {function}.Arn`"
            ));
        }
    }
    let distributed = file.is_some_and(|file| file.contents.contains("\"DISTRIBUTED\""));
    let name = resource.pointer("/Properties/Name/Fn::Sub");
    if let (true, Some(name)) = (distributed, name.and_then(Value::as_str)) {
        let suffix = format!(":stateMachine:{name}");
        let itself = |named: &Value| {
            let arn = named.get("Fn::Sub").and_then(Value::as_str);
            arn.is_some_and(|arn| arn.ends_with(&suffix))
        };
        if !allows(role, "states:StartExecution", itself) {
            not_allowed(format!(
                "the machine has a Distributed Map, which starts the machine's own children, and its \
                 role does not allow it: add `states:StartExecution` on `!Sub arn:...{suffix}`"
            ));
        }
    }
    findings
}

fn role_of<'a>(resource: &Value, resources: &'a Map<String, Value>) -> Option<&'a Value> {
    let role = resource.pointer("/Properties/Role/Fn::GetAtt/0")?;
    resources.get(role.as_str()?)
}

/// The functions whose ARNs stand for placeholders.
fn functions<'a>(resource: &'a Value, resources: &Map<String, Value>) -> Vec<&'a str> {
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

fn allows(role: &Value, action: &str, resource: impl Fn(&Value) -> bool) -> bool {
    let policies = role
        .pointer("/Properties/Policies")
        .and_then(Value::as_array);
    let policies = policies.into_iter().flatten();
    let statements = policies
        .filter_map(|policy| policy.pointer("/PolicyDocument/Statement")?.as_array())
        .flatten();
    let mut allowing = statements.filter(|statement| {
        statement["Effect"] == "Allow" && one_or_more(&statement["Action"]).any(|a| a == action)
    });
    allowing.any(|statement| one_or_more(&statement["Resource"]).any(&resource))
}

fn one_or_more(value: &Value) -> impl Iterator<Item = &Value> {
    match value {
        Value::Array(items) => items.as_slice(),
        one => std::slice::from_ref(one),
    }
    .iter()
}
