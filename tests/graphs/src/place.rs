//! Where the description of a process's project is.

use std::{
    collections::BTreeMap,
    env, fs, io,
    path::{Path, PathBuf},
    process::Command,
};

use precip::prelude::*;

use crate::{
    declare::{declare, invalid},
    description::Project,
};

/// The variable that names the document: the file `graph.json` beside the program unless it is set.
pub const DOCUMENT: &str = "PRECIP_TEST_GRAPH";

/// The definitions of this process's project.
///
/// # Errors
/// [`InvalidDefinitions`] when the document cannot be read, or describes what cannot be.
pub fn definitions() -> Result<Definitions, InvalidDefinitions> {
    match document() {
        Ok(project) => declare(project),
        Err(error) => {
            let reason = format!("the description of the project cannot be read: {error}");
            let nothing = invalid("graph.json", reason);
            Definitions::builder().declare([nothing]).build()
        }
    }
}

/// What this process's project is described by.
///
/// # Errors
/// When it cannot be read.
pub fn document() -> io::Result<Project> {
    let path = match env::var_os(DOCUMENT) {
        Some(path) => PathBuf::from(path),
        None => env::current_exe()?.with_file_name("graph.json"),
    };
    Ok(serde_json::from_slice(&fs::read(path)?)?)
}

/// The command line of a project whose description is `graph.json` in a folder, on a deployment of it: what
/// its stack puts out says where that is.
#[must_use]
pub fn command(program: &str, folder: &Path, outputs: &BTreeMap<String, String>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder);
    command.env(DOCUMENT, folder.join("graph.json"));
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
