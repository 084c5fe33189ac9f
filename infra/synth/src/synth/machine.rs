//! The files of the state machines, and the values of their placeholders.

use precip_asl::{
    compile::{CompileOptions, compile_machines},
    model::StateMachine,
};
use precip_core::{graph::AssetGraph, machine::Layout};

use super::{GeneratedFile, SynthError, names::Placeholders, template::PLANNER_SECONDS};

/// The state machines of a project.
#[derive(Debug)]
pub(super) struct Machines {
    /// The machine that people start: it plans, and runs small runs itself.
    pub(super) run: GeneratedFile,
    /// The machine that runs large runs.
    pub(super) backfill: GeneratedFile,
}

impl Machines {
    /// Compiles the machines of a graph.
    pub(super) fn from_graph(graph: &AssetGraph, project: &str) -> Result<Self, SynthError> {
        let refused = |error: &dyn std::fmt::Display| SynthError::Machines(error.to_string());
        let layout = Layout::from_graph(graph).map_err(|error| refused(&error))?;
        let options = CompileOptions {
            planner_timeout: std::time::Duration::from_secs(PLANNER_SECONDS),
            ..CompileOptions::new(project)
        };
        let machines =
            compile_machines(graph, &layout, &options).map_err(|error| refused(&error))?;
        let file = |name: String, machine: &StateMachine| -> Result<_, SynthError> {
            let text = machine.to_json().map_err(|error| refused(&error))?;
            let path = format!("statemachine/{name}.asl.json");
            Ok(GeneratedFile::new(path, text.trim_end().to_owned() + "\n"))
        };
        Ok(Self {
            run: file(project.to_owned(), &machines.run)?,
            backfill: file(format!("{project}-backfill"), &machines.backfill)?,
        })
    }
}

/// A machine in the template.
#[derive(Debug)]
pub(super) struct Machine {
    path: String,
    /// The placeholders with their values, as YAML.
    pub(super) substitutions: Vec<(String, String)>,
    /// The placeholders with the logical ids of their resources.
    pub(super) resources: Vec<(String, String)>,
    /// The logical ids of the functions that the machine calls.
    pub(super) functions: Vec<String>,
}

impl Machine {
    /// Looks up the values of a machine's placeholders.
    pub(super) fn new(file: &GeneratedFile, known: &Placeholders) -> Result<Self, SynthError> {
        let mut substitutions = Vec::new();
        let mut resources = Vec::new();
        let mut functions = Vec::new();
        for name in crate::check::placeholders(&file.contents) {
            let Some(value) = known.get(&name) else {
                return Err(SynthError::Placeholder {
                    machine: file.path.clone(),
                    name,
                    known: known.known_names(),
                });
            };
            functions.extend(value.function.clone());
            resources.push((name.clone(), value.resource.clone()));
            substitutions.push((name, value.yaml.clone()));
        }
        Ok(Self {
            path: file.path.clone(),
            substitutions,
            resources,
            functions,
        })
    }

    pub(super) fn definition_uri(&self) -> &str {
        &self.path
    }
}
