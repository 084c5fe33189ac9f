//! The launcher as a program: it makes projects, adds to them, and runs their commands.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod add;
mod forward;
mod new;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use tempfile::TempDir;

/// A folder with nothing above it that the launcher looks for.
struct Folder {
    root: TempDir,
}

impl Folder {
    fn new() -> Self {
        Self {
            root: TempDir::new().unwrap(),
        }
    }

    fn path(&self) -> PathBuf {
        // A temporary folder may be behind a link.
        self.root.path().canonicalize().unwrap()
    }

    /// Returns the launcher with some arguments, in a folder below this one.
    fn precip(&self, within: &str, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_precip"));
        command.args(line.split_whitespace());
        command.current_dir(self.path().join(within));
        for variable in ["CARGO_TARGET_DIR", "PRECIP_ON", "PRECIP_HOME", "PRECIP_ENV"] {
            command.env_remove(variable);
        }
        command
    }

    /// Runs the launcher and returns its exit code and what it said.
    fn run(&self, within: &str, line: &str) -> (i32, String) {
        say(&self.precip(within, line).output().unwrap())
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path().join(path)).unwrap()
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Returns all files, without those of git.
    fn files(&self) -> BTreeMap<String, String> {
        let mut files = BTreeMap::new();
        collect(&self.path(), &self.path(), &mut files);
        files
    }

    /// Returns a `PATH` that begins with a folder with a script.
    #[cfg(unix)]
    fn path_with(&self, program: &str, script: &str) -> std::ffi::OsString {
        use std::os::unix::fs::PermissionsExt;

        let folder = self.path().join("programs");
        fs::create_dir_all(&folder).unwrap();
        let file = folder.join(program);
        fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
        let path = std::env::var_os("PATH").unwrap();
        let folders = std::iter::once(folder).chain(std::env::split_paths(&path));
        std::env::join_paths(folders).unwrap()
    }
}

fn collect(root: &Path, folder: &Path, files: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if path.file_name().unwrap() != ".git" {
                collect(root, &path, files);
            }
        } else {
            let name = path.strip_prefix(root).unwrap().to_str().unwrap();
            files.insert(name.to_owned(), fs::read_to_string(&path).unwrap());
        }
    }
}

fn say(output: &Output) -> (i32, String) {
    let text = [&output.stdout[..], &output.stderr[..]].concat();
    let code = output.status.code().unwrap_or(-1);
    (code, String::from_utf8(text).unwrap())
}
