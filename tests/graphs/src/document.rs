//! The document that describes this process's project.

use std::{
    collections::BTreeMap,
    env, fs, io,
    path::{Path, PathBuf},
    process::Command,
};

use precip::prelude::*;

use crate::{
    declare::{declare_project, invalid_declaration},
    description::Project,
};

/// The variable that names the document; by default it is `graph.json` in the program's folder.
pub const DOCUMENT_VARIABLE: &str = "PRECIP_TEST_GRAPH";

/// Builds the definitions of this process's project.
///
/// # Errors
/// [`InvalidDefinitions`] if the document cannot be read, or is invalid.
pub fn load_definitions() -> Result<Definitions, InvalidDefinitions> {
    match read_document() {
        Ok(project) => declare_project(project),
        Err(error) => {
            let reason = format!("the description of the project cannot be read: {error}");
            let unreadable = invalid_declaration("graph.json", reason);
            Definitions::builder().declare([unreadable]).build()
        }
    }
}

/// Reads the description of this process's project.
///
/// # Errors
/// Any error of the file system or of the format.
pub fn read_document() -> io::Result<Project> {
    let path = match env::var_os(DOCUMENT_VARIABLE) {
        Some(path) => PathBuf::from(path),
        None => env::current_exe()?.with_file_name("graph.json"),
    };
    Ok(serde_json::from_slice(&fs::read(path)?)?)
}

/// Returns a command of a deployed project: its description is `graph.json` in a folder, and the outputs
/// of its stack locate the deployment.
#[must_use]
pub fn deployment_command(
    program: &str,
    folder: &Path,
    outputs: &BTreeMap<String, String>,
) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder);
    command.env(DOCUMENT_VARIABLE, folder.join("graph.json"));
    command.env("PRECIP_ON", "aws");
    for (variable, output) in [
        ("PRECIP_TABLE", "TableName"),
        ("PRECIP_BUCKET", "BucketName"),
        ("PRECIP_STATE_MACHINE_ARN", "RunStateMachineArn"),
    ] {
        command.env(variable, &outputs[output]);
    }
    command
}
