//! [`check`].

use serde_json::Value;

use super::{Finding, Rule, document, machine, pattern, role, schedule};
use crate::GeneratedFile;

/// Looks at generated files, which hold a `template.yaml` and what it names. Nothing is found in
/// what [`synth`](crate::synth) writes.
pub fn check(files: &[GeneratedFile]) -> Vec<Finding> {
    let Some(template) = files.iter().find(|file| file.path == "template.yaml") else {
        let message = "there is no template: `synth` writes one";
        return vec![Finding::new(Rule::Template, "template.yaml", "", message)];
    };
    let document = match document::read(&template.contents) {
        Ok(document) => document,
        Err(error) => {
            let message = format!("this is not YAML: {error}");
            return vec![Finding::new(Rule::Template, &template.path, "", message)];
        }
    };
    let Some(resources) = document.get("Resources").and_then(Value::as_object) else {
        let message = "there are no resources";
        return vec![Finding::new(Rule::Template, &template.path, "", message)];
    };
    let mut findings = Vec::new();
    for (id, resource) in resources {
        findings.extend(machine::check(&template.path, id, resource, files));
        findings.extend(role::check(&template.path, id, resource, resources, files));
        for (place, object) in document::objects(resource, &format!("Resources/{id}")) {
            findings.extend(schedule::check(&template.path, &place, object));
            findings.extend(pattern::check(&template.path, &place, object));
        }
    }
    findings
}
