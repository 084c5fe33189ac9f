//! [`Walk`]: the objects of a folder, page by page.

use std::{
    fs::{self, FileType},
    io,
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use precip_engine::trigger::ObjectPage;
use tokio_util::sync::CancellationToken;

use super::{BucketFolder, folder::to_object};

/// A walk through a folder in the order of its objects' keys. It reads the names of one folder at a time and the
/// metadata of each object of the page once.
pub(super) struct Walk<'a> {
    bucket: &'a BucketFolder,
    prefix: &'a str,
    /// The key after which the page begins.
    after: Option<&'a str>,
    /// Maximum number of objects of the page.
    most: usize,
    /// The folder without links on the way to it, once it is needed.
    root: Option<PathBuf>,
    stop: &'a CancellationToken,
    page: ObjectPage,
}

/// An entry of a folder.
struct Entry {
    /// The key of a file; the beginning of the keys below a folder.
    key: String,
    path: PathBuf,
    kind: FileType,
    is_named: bool,
}

impl<'a> Walk<'a> {
    pub(super) fn new(
        bucket: &'a BucketFolder,
        prefix: &'a str,
        after: Option<&'a str>,
        most: usize,
        stop: &'a CancellationToken,
    ) -> Self {
        Self {
            bucket,
            prefix,
            after,
            most,
            root: None,
            stop,
            page: ObjectPage::default(),
        }
    }

    /// Returns the page of the objects below a folder whose keys begin with `key`.
    ///
    /// # Errors
    /// When the system cannot read it. A part of a listing is never taken for the whole: its missing objects would be
    /// new ones in the next.
    pub(super) fn list_folder(mut self, folder: &Path, key: &str) -> io::Result<ObjectPage> {
        // The page is complete, whether or not the walk ended early.
        let _ = self.add_folder(folder, key)?;
        Ok(self.page)
    }

    fn add_folder(&mut self, folder: &Path, key: &str) -> io::Result<ControlFlow<()>> {
        let entries = match read_entries(folder, key) {
            Ok(entries) => entries,
            Err(error) => return self.skip_unreadable(folder, error),
        };
        for entry in entries {
            if self.stop.is_cancelled() {
                return Ok(ControlFlow::Break(()));
            }
            let added = if entry.kind.is_dir() && entry.is_named {
                match self.is_wanted_folder(&entry.key) {
                    true => self.add_folder(&entry.path, &entry.key)?,
                    false => ControlFlow::Continue(()),
                }
            } else {
                self.add_file(entry)?
            };
            if added.is_break() {
                return Ok(added);
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Returns whether a folder is on the way to the prefix, or below it, and has keys of this page.
    fn is_wanted_folder(&self, key: &str) -> bool {
        let leads = key.starts_with(self.prefix) || self.prefix.starts_with(key);
        leads
            && self
                .after
                .is_none_or(|after| key > after || after.starts_with(key))
    }

    fn add_file(&mut self, entry: Entry) -> io::Result<ControlFlow<()>> {
        let is_wanted = entry.key.starts_with(self.prefix)
            && self.after.is_none_or(|after| entry.key.as_str() > after);
        if !is_wanted {
            return Ok(ControlFlow::Continue(()));
        }
        // One more than a page holds shows that there is a next page.
        if self.page.objects.len() >= self.most {
            self.page.next = self.page.objects.last().map(|last| last.key.clone());
            return Ok(ControlFlow::Break(()));
        }
        if let Some(problem) = self.find_problem(&entry) {
            self.refuse(&entry.path, &problem);
            return Ok(ControlFlow::Continue(()));
        }
        if !entry.kind.is_file() {
            return Ok(ControlFlow::Continue(()));
        }
        match fs::symlink_metadata(&entry.path) {
            Ok(metadata) => self.page.objects.push(to_object(entry.key, &metadata)),
            Err(error) => return self.skip_unreadable(&entry.path, error),
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Returns why an entry is no object, if a person would expect it to be one.
    fn find_problem(&mut self, entry: &Entry) -> Option<String> {
        if !entry.is_named {
            return Some("its name is not UTF-8, as the keys of objects are: rename it".to_owned());
        }
        if !entry.kind.is_symlink() {
            return None;
        }
        let Ok(target) = fs::canonicalize(&entry.path) else {
            return Some("it is a link that leads nowhere".to_owned());
        };
        if self.root.is_none() {
            self.root = fs::canonicalize(self.bucket.root()).ok();
        }
        let within = self
            .root
            .as_ref()
            .and_then(|root| target.strip_prefix(root).ok());
        let shown = target.display();
        match within {
            None => Some(format!(
                "it is a link to `{shown}`, outside of the folder: copy the files into the folder"
            )),
            // The target is an object itself, or a folder of such.
            Some(within) if !has_hidden_part(within) => None,
            Some(_) => Some(format!(
                "it is a link to the hidden `{shown}`: copy the file into the folder"
            )),
        }
    }

    /// Skips what has vanished since its name was read, and what this user may not read.
    fn skip_unreadable(&mut self, path: &Path, error: io::Error) -> io::Result<ControlFlow<()>> {
        let is_root = path == self.bucket.root();
        match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory if !is_root => {}
            io::ErrorKind::PermissionDenied if !is_root => {
                self.refuse(path, &format!("it cannot be read: {error}"));
            }
            kind => {
                let message = format!("`{}` cannot be read: {error}", path.display());
                return Err(io::Error::new(kind, message));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    fn refuse(&mut self, path: &Path, problem: &str) {
        let message = format!("`{}` is left out: {problem}", path.display());
        self.page.refused.push(message);
    }
}

/// Reads the visible entries of a folder, in the order of their keys.
fn read_entries(folder: &Path, key: &str) -> io::Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let shown = name.to_string_lossy();
        if shown.starts_with('.') {
            continue;
        }
        let kind = match entry.file_type() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            kind => kind?,
        };
        let is_named = name.to_str().is_some();
        // A folder sorts as the keys below it: `a.csv` comes before `a/b.csv`.
        let slash = if kind.is_dir() { "/" } else { "" };
        entries.push(Entry {
            key: format!("{key}{shown}{slash}"),
            path: entry.path(),
            kind,
            is_named,
        });
    }
    entries.sort_by(|one, other| one.key.cmp(&other.key));
    Ok(entries)
}

fn has_hidden_part(path: &Path) -> bool {
    path.components()
        .any(|part| part.as_os_str().as_encoded_bytes().starts_with(b"."))
}
