//! [`check_files`].

use serde_json::Value;

use super::{Finding, Rule, document, machine, pattern, role, schedule};
use crate::GeneratedFile;

/// Checks generated files, which hold a `template.yaml` and the files that it names. Files that
/// [`synth`](crate::synth) writes have no findings.
pub fn check_files(files: &[GeneratedFile]) -> Vec<Finding> {
    let Some(template) = files.iter().find(|file| file.path == "template.yaml") else {
        let message = "there is no template: `synth` writes one";
        return vec![Finding::new(Rule::Template, "template.yaml", "", message)];
    };
    let document = match document::parse_template(&template.contents) {
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
    // State machines and their roles are resources; schedules and patterns may be anywhere inside
    // one.
    let mut findings = Vec::new();
    for (id, resource) in resources {
        findings.extend(machine::check_machine(&template.path, id, resource, files));
        findings.extend(role::check_role(
            &template.path,
            id,
            resource,
            resources,
            files,
        ));
        for (location, object) in document::nested_objects(resource, &format!("Resources/{id}")) {
            findings.extend(schedule::check_schedules(&template.path, &location, object));
            findings.extend(pattern::check_patterns(&template.path, &location, object));
        }
    }
    findings
}
