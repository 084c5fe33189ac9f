//! Files that a store of this machine writes before it renames them: `{file}#{number}`. A process that is killed leaves
//! them, and the store neither lists nor removes them.

use std::{fs, io, path::Path};

use chrono::{DateTime, Utc};

/// A staged file below a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StagedFile {
    /// The path below the folder, with `/` between the parts.
    pub(super) path: String,
    pub(super) bytes: u64,
    pub(super) written: DateTime<Utc>,
}

/// Splits the path of a staged file into that of the file it becomes, and the number; `None` for any other file.
pub(super) fn split_staged(path: &str) -> Option<(&str, &str)> {
    let (file, number) = path.rsplit_once('#')?;
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then_some((file, number))
}

/// Lists the staged files below a folder. A missing folder has none.
pub(super) fn list_staged(folder: &Path) -> io::Result<Vec<StagedFile>> {
    let mut found = Vec::new();
    collect_staged(folder, "", &mut found)?;
    Ok(found)
}

fn collect_staged(folder: &Path, prefix: &str, found: &mut Vec<StagedFile>) -> io::Result<()> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        let path = format!("{prefix}{name}");
        // Links are not followed: they may lead out of the folder.
        if entry.file_type()?.is_dir() {
            collect_staged(&entry.path(), &format!("{path}/"), found)?;
        } else if split_staged(&name).is_some() {
            match entry.metadata() {
                // Its writer has renamed it.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                metadata => {
                    let metadata = metadata?;
                    found.push(StagedFile {
                        path,
                        bytes: metadata.len(),
                        written: metadata.modified()?.into(),
                    });
                }
            }
        }
    }
    Ok(())
}

/// Removes a staged file. One that is gone is no error.
pub(super) fn remove_staged(file: &Path, number: &str) -> io::Result<()> {
    let mut path = file.as_os_str().to_owned();
    path.push("#");
    path.push(number);
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
