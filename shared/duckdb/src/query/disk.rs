//! Where waits what does not fit into a query's memory.

use std::{fs, io, path::Path};

use tempfile::TempDir;

/// The names of folders begin so, with the process that they are of behind it.
const PREFIX: &str = "precip-query-";

/// A folder of this query's own, which is gone with it.
///
/// In a function, those of processes that are no more are removed first: a function that ran out of time is
/// killed, and the next one in its place has the same disk.
/// Source: <https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html>
pub(super) fn make(below: &Path, is_function: bool) -> io::Result<TempDir> {
    if is_function {
        let is_alive = |process: u32| Path::new("/proc").join(process.to_string()).exists();
        sweep(below, is_alive)?;
    }
    let name = format!("{PREFIX}{}-", std::process::id());
    tempfile::Builder::new().prefix(&name).tempdir_in(below)
}

/// Removes what processes have left that are no more.
fn sweep(below: &Path, is_alive: impl Fn(u32) -> bool) -> io::Result<()> {
    for entry in fs::read_dir(below)? {
        let entry = entry?;
        let name = entry.file_name();
        let process = name.to_str().and_then(|name| {
            let (process, _) = name.strip_prefix(PREFIX)?.split_once('-')?;
            process.parse().ok()
        });
        if process.is_some_and(|process| !is_alive(process)) {
            match fs::remove_dir_all(entry.path()) {
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
    fn what_a_killed_function_has_left_is_removed_and_nothing_else() {
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
        sweep(disk.path(), |process| process == 2).unwrap();
        let mut left: Vec<_> = fs::read_dir(disk.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        left.sort();
        assert_eq!(left, ["other", "precip-query-2-b", "precip-query-x-c"]);
    }

    #[test]
    fn a_folder_is_of_this_process_and_gone_with_its_query() {
        let disk = TempDir::new().unwrap();
        let first = make(disk.path(), true).unwrap();
        // Another query of the same process leaves it alone.
        let second = make(disk.path(), true).unwrap();
        assert!(first.path().exists() && first.path() != second.path());
        drop((first, second));
        assert_eq!(fs::read_dir(disk.path()).unwrap().count(), 0);
    }
}
