//! Writing generated files, each one atomically.

use std::{fs, io, path::Path};

use precip_synth::GeneratedFile;

use crate::failure::Failure;

/// Writes the files that are new or changed, and removes state machines that are no longer generated.
/// Returns the paths of the files written.
///
/// # Errors
/// [`Failure`] with the path that cannot be written.
pub(super) fn write_files<'a>(
    files: &'a [GeneratedFile],
    folder: &Path,
) -> Result<Vec<&'a str>, Failure> {
    let mut written = Vec::new();
    for file in files {
        let path = folder.join(&file.path);
        // Unchanged files keep their modification time.
        if fs::read(&path).is_ok_and(|existing| existing == file.contents.as_bytes()) {
            continue;
        }
        replace_file(&path, &file.contents).map_err(|error| {
            Failure::environment(format!("failed to write `{}`: {error}", path.display()))
        })?;
        written.push(file.path.as_str());
    }
    for path in super::compare::stale_machines(files, folder)? {
        let path = folder.join(path);
        fs::remove_file(&path).map_err(|error| {
            Failure::environment(format!("failed to remove `{}`: {error}", path.display()))
        })?;
    }
    Ok(written)
}

/// Replaces a file. A reader sees the old contents or the new, never a part.
fn replace_file(path: &Path, contents: &str) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new(""));
    fs::create_dir_all(folder)?;
    let new = tempfile::NamedTempFile::new_in(folder)?;
    fs::write(new.path(), contents)?;
    make_readable(new.path())?;
    new.persist(path)?;
    Ok(())
}

/// Makes a file readable for everyone: temporary files are private to their owner.
#[cfg(unix)]
fn make_readable(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn make_readable(_: &Path) -> io::Result<()> {
    Ok(())
}
