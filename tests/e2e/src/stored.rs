//! Homes that an earlier version wrote.

use std::{
    error::Error,
    fs, io,
    path::{Path, PathBuf},
};

/// Returns the path of a fixture that an earlier version wrote.
pub fn stored_fixture(name: &str) -> PathBuf {
    let fixtures = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/stored"));
    fixtures.join(name)
}

/// Copies a folder with everything in it.
///
/// # Errors
/// Any error of the file system.
pub fn copy_folder(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// Creates a database from its dump as SQL.
///
/// # Errors
/// Any error of the file system or of SQLite.
pub fn restore_database(dump: &Path, database: &Path) -> Result<(), Box<dyn Error>> {
    let statements = fs::read_to_string(dump)?;
    rusqlite::Connection::open(database)?.execute_batch(&statements)?;
    Ok(())
}
