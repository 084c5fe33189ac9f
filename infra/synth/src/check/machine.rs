//! State machines: the file, its placeholders, and the definition in it.

use std::collections::BTreeSet;

use precip_asl::model::StateMachine;
use serde_json::Value;

use super::{Finding, Rule};
use crate::GeneratedFile;

/// Returns the names of the placeholders (`${Name}`) in a definition, sorted, each once.
pub(crate) fn placeholders(asl: &str) -> BTreeSet<String> {
    let after = asl.split("${").skip(1);
    let names = after.filter_map(|rest| rest.split_once('}').map(|(name, _)| name));
    let name = |name: &&str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric());
    names.filter(name).map(str::to_owned).collect()
}

/// Returns the definition with a value in place of each placeholder: a digit, which is valid both
/// as a number and inside a string.
pub(super) fn fill_placeholders(asl: &str) -> String {
    placeholders(asl).iter().fold(asl.to_owned(), |asl, name| {
        asl.replace(&format!("${{{name}}}"), "1")
    })
}

/// Returns the path of a state machine's definition, and the file if it exists.
pub(super) fn definition_file<'a>(
    resource: &'a Value,
    files: &'a [GeneratedFile],
) -> Option<(&'a str, Option<&'a GeneratedFile>)> {
    if resource.get("Type")? != "AWS::Serverless::StateMachine" {
        return None;
    }
    let path = resource.pointer("/Properties/DefinitionUri")?.as_str()?;
    Some((path, files.iter().find(|file| file.path == path)))
}

/// Finds a missing file, missing and unused substitutions, and mistakes in the definition.
pub(super) fn check_machine(
    template: &str,
    id: &str,
    resource: &Value,
    files: &[GeneratedFile],
) -> Vec<Finding> {
    let Some((path, file)) = definition_file(resource, files) else {
        return Vec::new();
    };
    let properties = format!("Resources/{id}/Properties");
    let Some(file) = file else {
        let message = format!("`{path}` does not exist: generate it, or correct the path");
        let location = format!("{properties}/DefinitionUri");
        return vec![Finding::new(
            Rule::MissingDefinition,
            template,
            location,
            message,
        )];
    };
    let mut findings = Vec::new();
    let location = format!("{properties}/DefinitionSubstitutions");
    let given: BTreeSet<String> = resource
        .pointer("/Properties/DefinitionSubstitutions")
        .and_then(Value::as_object)
        .into_iter()
        .flat_map(|map| map.keys().cloned())
        .collect();
    let wanted = placeholders(&file.contents);
    // SAM deploys `${Name}` as it is if nothing replaces it.
    for name in wanted.difference(&given) {
        let message = format!("`${{{name}}}` of `{path}` has no value: add `{name}`");
        findings.push(Finding::new(
            Rule::MissingSubstitution,
            template,
            &*location,
            message,
        ));
    }
    for name in given.difference(&wanted) {
        let message = format!("`{path}` has no `${{{name}}}`: remove `{name}`, or correct it");
        findings.push(Finding::new(
            Rule::UnusedSubstitution,
            template,
            &*location,
            message,
        ));
    }
    findings.extend(check_definition(file));
    findings
}

/// Finds mistakes in the definition itself.
fn check_definition(file: &GeneratedFile) -> Vec<Finding> {
    match serde_json::from_str::<StateMachine>(&fill_placeholders(&file.contents)) {
        Ok(machine) => precip_asl::check::check_machine(&machine)
            .into_iter()
            .map(|f| Finding::new(Rule::Definition, &file.path, f.location, f.message))
            .collect(),
        Err(error) => {
            let message =
                format!("this is not a state machine once its placeholders are filled in: {error}");
            vec![Finding::new(Rule::Definition, &file.path, "", message)]
        }
    }
}
