//! Files and folders that only their owner can read: folders with mode 0700, files with mode 0600.
//!
//! Data, plans and errors may contain anything that a project works with. Systems other than Unix protect files by
//! the folder above them.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io,
    path::Path,
};

/// The bits of a mode that let the group and others in.
#[cfg(unix)]
const OTHERS: u32 = 0o077;

/// Creates a folder, and the missing folders above it, for the owner alone.
///
/// # Errors
/// The system's error when one cannot be created.
pub fn create_private_folder(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Creates an empty file for the owner alone, or empties an existing one.
///
/// # Errors
/// The system's error when it cannot be created.
pub fn create_private_file(path: &Path) -> io::Result<File> {
    private_options().truncate(true).open(path)
}

/// Creates an empty file for the owner alone, unless it exists.
pub(crate) fn ensure_private_file(path: &Path) -> io::Result<()> {
    private_options().open(path).map(drop)
}

fn private_options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Removes the rights of others from a folder and everything in it, if it exists and others may enter it. A folder that is closed
/// already protects what is in it.
///
/// # Errors
/// The system's error when the rights cannot be read or changed. A folder of another user, or on a read-only file
/// system, is left as it is.
pub(super) fn tighten_folder(folder: &Path) -> io::Result<()> {
    match is_open_to_others(folder) {
        Ok(true) => {}
        Ok(false) => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    }
    match tighten_contents(folder).and_then(|()| tighten(folder)) {
        Err(error) if is_not_ours(&error) => Ok(()),
        tightened => tightened,
    }
}

/// Removes the rights of others from a file or a folder itself, if it exists and is ours.
pub(super) fn tighten_entry(file: &Path) -> io::Result<()> {
    match tighten(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound || is_not_ours(&error) => Ok(()),
        tightened => tightened,
    }
}

fn is_not_ours(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem
    )
}

fn tighten_contents(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        // The target of a link may be anywhere.
        if kind.is_symlink() {
            continue;
        }
        if kind.is_dir() {
            tighten_contents(&entry.path())?;
        }
        match tighten(&entry.path()) {
            // Another process may have removed it meanwhile.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            tightened => tightened?,
        }
    }
    Ok(())
}

#[cfg(unix)]
fn is_open_to_others(path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::PermissionsExt;
    Ok(fs::metadata(path)?.permissions().mode() & OTHERS != 0)
}

#[cfg(unix)]
fn tighten(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mut permissions = fs::metadata(path)?.permissions();
    let mode = permissions.mode();
    if mode & OTHERS == 0 {
        return Ok(());
    }
    permissions.set_mode(mode & !OTHERS);
    fs::set_permissions(path, permissions)
}

#[cfg(not(unix))]
fn is_open_to_others(_: &Path) -> io::Result<bool> {
    Ok(false)
}

#[cfg(not(unix))]
fn tighten(_: &Path) -> io::Result<()> {
    Ok(())
}
