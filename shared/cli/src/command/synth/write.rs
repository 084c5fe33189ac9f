//! Writing generated files, each whole or not at all.

use std::{fs, io, path::Path};

use precip_synth::GeneratedFile;

use crate::failure::Failure;

/// Writes the files that are not there as they are, and takes away state machines that are not
/// generated any more. Answers the paths of those that were written.
///
/// # Errors
/// [`Failure`] with the path that cannot be written.
pub(super) fn write<'a>(
    files: &'a [GeneratedFile],
    folder: &Path,
) -> Result<Vec<&'a str>, Failure> {
    let mut written = Vec::new();
    for file in files {
        let path = folder.join(&file.path);
        if fs::read(&path).is_ok_and(|there| there == file.contents.as_bytes()) {
            continue;
        }
        replace(&path, &file.contents).map_err(|error| {
            Failure::environment(format!("failed to write `{}`: {error}", path.display()))
        })?;
        written.push(file.path.as_str());
    }
    for path in super::compare::left_behind(files, folder)? {
        let path = folder.join(path);
        fs::remove_file(&path).map_err(|error| {
            Failure::environment(format!("failed to remove `{}`: {error}", path.display()))
        })?;
    }
    Ok(written)
}

/// A reader sees the file as it was or as it is to be.
fn replace(path: &Path, contents: &str) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new(""));
    fs::create_dir_all(folder)?;
    let new = tempfile::NamedTempFile::new_in(folder)?;
    fs::write(new.path(), contents)?;
    readable(new.path())?;
    new.persist(path)?;
    Ok(())
}

/// Temporary files are for their owner only; what is generated is for everybody.
#[cfg(unix)]
fn readable(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn readable(_: &Path) -> io::Result<()> {
    Ok(())
}
