//! The folder that a query spills to.

use std::{fs, io, path::Path};

use tempfile::TempDir;

/// Prefix of the names of folders, followed by the process id.
const PREFIX: &str = "precip-query-";

/// Creates a folder for a query, which is removed when the result is dropped.
///
/// In a function, the folders of ended processes are removed first: a function that times out is killed, and its
/// successor has the same disk.
/// Source: <https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html>
pub(super) fn create_folder(below: &Path, is_function: bool) -> io::Result<TempDir> {
    if is_function {
        let is_alive = |process: u32| Path::new("/proc").join(process.to_string()).exists();
        remove_stale_folders(below, is_alive)?;
    }
    let name = format!("{PREFIX}{}-", std::process::id());
    tempfile::Builder::new().prefix(&name).tempdir_in(below)
}

/// Removes the folders of ended processes.
fn remove_stale_folders(below: &Path, is_alive: impl Fn(u32) -> bool) -> io::Result<()> {
    for entry in fs::read_dir(below)? {
        let entry = entry?;
        let name = entry.file_name();
        // Folders of other programs do not have such a name.
        let process = name.to_str().and_then(|name| {
            let (process, _) = name.strip_prefix(PREFIX)?.split_once('-')?;
            process.parse().ok()
        });
        if process.is_some_and(|process| !is_alive(process)) {
            match fs::remove_dir_all(entry.path()) {
                // Another query of this process may have removed it first.
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_folders_of_ended_processes_are_removed() {
        let disk = TempDir::new().unwrap();
        for name in [
            "precip-query-1-a",
            "precip-query-2-b",
            "precip-query-x-c",
            "other",
        ] {
            let folder = disk.path().join(name);
            fs::create_dir(&folder).unwrap();
            fs::write(folder.join("spilled.tmp"), "rows").unwrap();
        }
        remove_stale_folders(disk.path(), |process| process == 2).unwrap();
        let mut left: Vec<_> = fs::read_dir(disk.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        left.sort();
        assert_eq!(left, ["other", "precip-query-2-b", "precip-query-x-c"]);
    }

    #[test]
    fn a_folder_is_removed_with_its_query() {
        let disk = TempDir::new().unwrap();
        let first = create_folder(disk.path(), true).unwrap();
        // Another query of the same process leaves it alone.
        let second = create_folder(disk.path(), true).unwrap();
        assert!(first.path().exists() && first.path() != second.path());
        drop((first, second));
        assert_eq!(fs::read_dir(disk.path()).unwrap().count(), 0);
    }
}
