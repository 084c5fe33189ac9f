//! What differs between generated files and those that are there.

use std::{fs, io, path::Path};

use precip_synth::GeneratedFile;
use similar::TextDiff;

use crate::failure::Failure;

/// The folder of the state machines: nothing but what is generated lies in it.
const MACHINES: &str = "statemachine";

/// How the files of a folder would change, as unified diffs, one for each file that would.
///
/// # Errors
/// [`Failure`] with the path that cannot be read.
pub(super) fn compare(files: &[GeneratedFile], folder: &Path) -> Result<Vec<String>, Failure> {
    let mut differences = Vec::new();
    for file in files {
        let there = read(&folder.join(&file.path))?;
        if there.as_deref() != Some(file.contents.as_str()) {
            let there = there.unwrap_or_default();
            differences.push(diff(&file.path, &there, &file.contents));
        }
    }
    for path in left_behind(files, folder)? {
        let there = read(&folder.join(&path))?.unwrap_or_default();
        differences.push(diff(&path, &there, ""));
    }
    Ok(differences)
}

/// State machines in a folder that are not generated any more.
///
/// # Errors
/// [`Failure`] when the folder cannot be read.
pub(super) fn left_behind(files: &[GeneratedFile], folder: &Path) -> Result<Vec<String>, Failure> {
    let machines = folder.join(MACHINES);
    let unreadable = |error: io::Error| {
        Failure::environment(format!("failed to read `{}`: {error}", machines.display()))
    };
    let entries = match fs::read_dir(&machines) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(unreadable(error)),
    };
    let mut left = Vec::new();
    for entry in entries {
        let name = entry.map_err(unreadable)?.file_name();
        let path = format!("{MACHINES}/{}", name.to_string_lossy());
        let generated = files.iter().any(|file| file.path == path);
        if path.ends_with(".asl.json") && !generated {
            left.push(path);
        }
    }
    left.sort();
    Ok(left)
}

fn read(path: &Path) -> Result<Option<String>, Failure> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::environment(format!(
            "failed to read `{}`: {error}",
            path.display()
        ))),
    }
}

fn diff(path: &str, there: &str, generated: &str) -> String {
    TextDiff::from_lines(there, generated)
        .unified_diff()
        .context_radius(3)
        .header(path, &format!("{path} (generated)"))
        .to_string()
}
