//! Differences between generated files and the existing ones.

use std::{fs, io, path::Path};

use precip_synth::GeneratedFile;
use similar::TextDiff;

use crate::failure::Failure;

/// The folder of the state machines, which holds generated files only.
const MACHINES: &str = "statemachine";

/// Returns the unified diffs of the files that would change, one each.
///
/// # Errors
/// [`Failure`] with the path that cannot be read.
pub(super) fn diff_files(files: &[GeneratedFile], folder: &Path) -> Result<Vec<String>, Failure> {
    let mut differences = Vec::new();
    for file in files {
        let existing = read_existing(&folder.join(&file.path))?;
        if existing.as_deref() != Some(file.contents.as_str()) {
            let old = existing.unwrap_or_default();
            differences.push(unified_diff(&file.path, &old, &file.contents));
        }
    }
    for path in stale_machines(files, folder)? {
        let existing = read_existing(&folder.join(&path))?.unwrap_or_default();
        differences.push(unified_diff(&path, &existing, ""));
    }
    Ok(differences)
}

/// Returns the paths of state machines that exist and are no longer generated.
///
/// # Errors
/// [`Failure`] when the folder cannot be read.
pub(super) fn stale_machines(
    files: &[GeneratedFile],
    folder: &Path,
) -> Result<Vec<String>, Failure> {
    let machines = folder.join(MACHINES);
    let unreadable = |error: io::Error| {
        Failure::environment(format!("failed to read `{}`: {error}", machines.display()))
    };
    let entries = match fs::read_dir(&machines) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(unreadable(error)),
    };
    let mut stale = Vec::new();
    for entry in entries {
        let name = entry.map_err(unreadable)?.file_name();
        let path = format!("{MACHINES}/{}", name.to_string_lossy());
        let generated = files.iter().any(|file| file.path == path);
        // Files of other kinds do not belong to the generator.
        if path.ends_with(".asl.json") && !generated {
            stale.push(path);
        }
    }
    stale.sort();
    Ok(stale)
}

fn read_existing(path: &Path) -> Result<Option<String>, Failure> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::environment(format!(
            "failed to read `{}`: {error}",
            path.display()
        ))),
    }
}

fn unified_diff(path: &str, existing: &str, generated: &str) -> String {
    TextDiff::from_lines(existing, generated)
        .unified_diff()
        .context_radius(3)
        .header(path, &format!("{path} (generated)"))
        .to_string()
}
