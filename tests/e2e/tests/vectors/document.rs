//! Vector files as they are stored.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

/// One file of cases.
pub(crate) struct Document {
    /// The file's name, such as `cron_ticks.json`.
    pub(crate) name: String,
    /// The whole file: `cases`, and their shared data.
    pub(crate) body: Value,
}

impl Document {
    /// Reads a file.
    ///
    /// # Panics
    /// When it cannot be read or is not JSON with a list of `cases`.
    pub(crate) fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path)
            .unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()));
        let body: Value = serde_json::from_str(&text)
            .unwrap_or_else(|error| panic!("{} is not JSON: {error}", path.display()));
        assert!(
            body["cases"].is_array(),
            "{} has no list of `cases`",
            path.display()
        );
        let name = path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned());
        Self {
            name: name.unwrap_or_default(),
            body,
        }
    }

    /// Returns the cases.
    pub(crate) fn cases(&self) -> &[Value] {
        self.body["cases"].as_array().map_or(&[], Vec::as_slice)
    }
}

/// Lists the vector files of a directory, by name.
///
/// # Panics
/// When the directory cannot be read or holds none.
pub(crate) fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory)
        .unwrap_or_else(|error| panic!("cannot read {}: {error}", directory.display()));
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "json")
        })
        .collect();
    files.sort();
    assert!(
        !files.is_empty(),
        "{} holds no vector files",
        directory.display()
    );
    files
}
