//! The state machines' files, and what stands for their placeholders.

use precip_asl::{
    compile::{CompileOptions, compile},
    model::StateMachine,
};
use precip_core::{graph::AssetGraph, machine::Layout};

use super::{GeneratedFile, SynthError, names::Placeholders, template::PLANNER_SECONDS};

/// The state machines of a project.
#[derive(Debug)]
pub(super) struct Machines {
    /// What people start: it plans, and runs small runs itself.
    pub(super) run: GeneratedFile,
    /// What it hands large runs to.
    pub(super) backfill: GeneratedFile,
}

impl Machines {
    /// Compiles the machines of a graph.
    pub(super) fn of(graph: &AssetGraph, project: &str) -> Result<Self, SynthError> {
        let refused = |error: &dyn std::fmt::Display| SynthError::Machines(error.to_string());
        let layout = Layout::of(graph).map_err(|error| refused(&error))?;
        let options = CompileOptions {
            planner_timeout: std::time::Duration::from_secs(PLANNER_SECONDS),
            ..CompileOptions::new(project)
        };
        let machines = compile(graph, &layout, &options).map_err(|error| refused(&error))?;
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

/// A machine as the template shows it.
#[derive(Debug)]
pub(super) struct Machine {
    path: String,
    /// Placeholders with what stands for them, as YAML.
    pub(super) substitutions: Vec<(String, String)>,
    /// The logical ids of the functions that it calls.
    pub(super) functions: Vec<String>,
}

impl Machine {
    /// Finds what stands for each placeholder of a machine.
    pub(super) fn new(file: &GeneratedFile, known: &Placeholders) -> Result<Self, SynthError> {
        let mut substitutions = Vec::new();
        let mut functions = Vec::new();
        for name in crate::check::placeholders(&file.contents) {
            let Some(stands) = known.get(&name) else {
                return Err(SynthError::Placeholder {
                    machine: file.path.clone(),
                    name,
                    known: known.names(),
                });
            };
            functions.extend(stands.function.clone());
            substitutions.push((name, stands.yaml.clone()));
        }
        Ok(Self {
            path: file.path.clone(),
            substitutions,
            functions,
        })
    }

    pub(super) fn uri(&self) -> &str {
        &self.path
    }
}
