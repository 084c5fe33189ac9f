//! The state machines' files, and what stands for their placeholders.

use super::{SynthError, names::Placeholders};

/// The state machines of a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machines {
    /// What people start: it plans, and runs small runs itself.
    pub run: MachineFile,
    /// What it hands large runs to.
    pub backfill: MachineFile,
}

/// One state machine: Amazon States Language with `${...}` for what is known when it is deployed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MachineFile {
    /// Its name, which is that of its file.
    pub name: String,
    /// The definition.
    pub asl: String,
}

impl MachineFile {
    /// Where the file is, as the template's folder sees it.
    pub fn path(&self) -> String {
        format!("statemachine/{}.asl.json", self.name)
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
    pub(super) fn new(file: &MachineFile, known: &Placeholders) -> Result<Self, SynthError> {
        let mut substitutions = Vec::new();
        let mut functions = Vec::new();
        for name in crate::check::placeholders(&file.asl) {
            let Some(stands) = known.get(&name) else {
                return Err(SynthError::Placeholder {
                    machine: file.name.clone(),
                    name,
                    known: known.names(),
                });
            };
            functions.extend(stands.function.clone());
            substitutions.push((name, stands.yaml.clone()));
        }
        Ok(Self {
            path: file.path(),
            substitutions,
            functions,
        })
    }

    pub(super) fn uri(&self) -> &str {
        &self.path
    }
}
