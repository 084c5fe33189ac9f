//! State machines: the file, its placeholders, and what it says.

use std::collections::BTreeSet;

use precip_asl::model::StateMachine;
use serde_json::Value;

use super::{Finding, Rule};
use crate::GeneratedFile;

/// The names of the placeholders (`${Name}`) in a definition, sorted, each once.
pub(crate) fn placeholders(asl: &str) -> BTreeSet<String> {
    let after = asl.split("${").skip(1);
    let names = after.filter_map(|rest| rest.split_once('}').map(|(name, _)| name));
    let name = |name: &&str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric());
    names.filter(name).map(str::to_owned).collect()
}

/// The definition with something in the place of each placeholder: a digit, which is right both
/// where a number is wanted and inside a string.
pub(super) fn filled(asl: &str) -> String {
    placeholders(asl).iter().fold(asl.to_owned(), |asl, name| {
        asl.replace(&format!("${{{name}}}"), "1")
    })
}

/// The file that a state machine is defined in, if it names one.
pub(super) fn definition<'a>(
    resource: &'a Value,
    files: &'a [GeneratedFile],
) -> Option<(&'a str, Option<&'a GeneratedFile>)> {
    if resource.get("Type")? != "AWS::Serverless::StateMachine" {
        return None;
    }
    let path = resource.pointer("/Properties/DefinitionUri")?.as_str()?;
    Some((path, files.iter().find(|file| file.path == path)))
}

pub(super) fn check(
    template: &str,
    id: &str,
    resource: &Value,
    files: &[GeneratedFile],
) -> Vec<Finding> {
    let Some((path, file)) = definition(resource, files) else {
        return Vec::new();
    };
    let place = format!("Resources/{id}/Properties");
    let Some(file) = file else {
        let message = format!("`{path}` is not there: generate it, or correct the path");
        let place = format!("{place}/DefinitionUri");
        return vec![Finding::new(
            Rule::MissingDefinition,
            template,
            place,
            message,
        )];
    };
    let mut findings = Vec::new();
    let place = format!("{place}/DefinitionSubstitutions");
    let given = resource.pointer("/Properties/DefinitionSubstitutions");
    let given = given
        .and_then(Value::as_object)
        .map(|map| map.keys().cloned());
    let given: BTreeSet<String> = given.into_iter().flatten().collect();
    let wanted = placeholders(&file.contents);
    for name in wanted.difference(&given) {
        let message = format!("nothing stands for `${{{name}}}` of `{path}`: add `{name}`");
        findings.push(Finding::new(
            Rule::MissingSubstitution,
            template,
            &*place,
            message,
        ));
    }
    for name in given.difference(&wanted) {
        let message = format!("`{path}` has no `${{{name}}}`: take `{name}` out, or correct it");
        findings.push(Finding::new(
            Rule::UnusedSubstitution,
            template,
            &*place,
            message,
        ));
    }
    findings.extend(states(file));
    findings
}

/// What is wrong with the definition itself.
fn states(file: &GeneratedFile) -> Vec<Finding> {
    match serde_json::from_str::<StateMachine>(&filled(&file.contents)) {
        Ok(machine) => {
            let found = precip_asl::check::check(&machine);
            let told = found
                .into_iter()
                .map(|f| Finding::new(Rule::Definition, &file.path, f.place, f.message));
            told.collect()
        }
        Err(error) => {
            let message =
                format!("this is no machine once its placeholders are filled in: {error}");
            vec![Finding::new(Rule::Definition, &file.path, "", message)]
        }
    }
}
