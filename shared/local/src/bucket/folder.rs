//! [`BucketFolder`]: a folder as a bucket of objects.

use std::{
    fs::{self, Metadata},
    io,
    path::{Path, PathBuf},
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use precip_core::trigger::ObjectEvent;
use precip_engine::trigger::{ListedObject, ObjectListing, ObjectPage};
use tokio_util::sync::CancellationToken;

use super::walk::Walk;

/// Number of objects on a page of a listing. Each page reads the names in the folders that lead to its objects again.
const PAGE_SIZE: usize = 10_000;

/// A folder whose files are the objects of a bucket. An object's key is its path within the folder, with
/// `/` between the parts. Files and folders that begin with `.` are ignored: editors and uploads use
/// them for incomplete files. Symbolic links are not followed: a file within the folder is an object under its own
/// name, and what is outside does not belong to the bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketFolder {
    root: PathBuf,
    page_size: usize,
}

impl BucketFolder {
    /// Uses a folder, which need not exist yet.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self {
            root: root.into(),
            page_size: PAGE_SIZE,
        }
    }

    /// Sets the number of objects on a page of a listing.
    #[cfg(test)]
    pub(super) fn with_page_size(self, page_size: usize) -> Self {
        Self { page_size, ..self }
    }

    /// Returns the folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the key of a file; `None` if the file is not an object.
    pub fn object_key(&self, path: &Path) -> Option<String> {
        // A path outside of the folder, one that is not UTF-8, or one with a hidden part has no key.
        let relative = path.strip_prefix(&self.root).ok()?;
        let parts: Option<Vec<&str>> = relative
            .components()
            .map(|part| {
                part.as_os_str()
                    .to_str()
                    .filter(|part| !part.starts_with('.'))
            })
            .collect();
        parts
            .filter(|parts| !parts.is_empty())
            .map(|parts| parts.join("/"))
    }

    /// Returns a file as an object; `None` if it is not an object, or no longer exists. A symbolic link is no object:
    /// the file that it leads to is one under its own name.
    pub fn object_at(&self, path: &Path) -> Option<ListedObject> {
        let key = self.object_key(path)?;
        // Folders on the way may be links as well. The file behind one is reported under its own path.
        let root = fs::canonicalize(&self.root).ok()?;
        if fs::canonicalize(path).ok()? != root.join(&key) {
            return None;
        }
        let metadata = fs::symlink_metadata(path).ok().filter(Metadata::is_file)?;
        Some(to_object(key, &metadata))
    }

    /// Returns the events that S3 would send for written files, and for the files below new folders: files may have
    /// been added to a folder before it was watched. Dropping the future ends the work.
    ///
    /// # Errors
    /// When the system refuses to read a folder. The next sweep finds its files.
    pub async fn created_events(
        &self,
        bucket: &str,
        paths: Vec<PathBuf>,
    ) -> io::Result<Vec<ObjectEvent>> {
        let (folder, bucket) = (self.clone(), bucket.to_owned());
        run_stoppable(move |stop| {
            let mut events = Vec::new();
            for path in &paths {
                if stop.is_cancelled() {
                    break;
                }
                let objects = folder.objects_below(path, stop)?;
                events.extend(
                    objects
                        .into_iter()
                        .map(|object| object.to_created_event(&bucket)),
                );
            }
            Ok(events)
        })
        .await
    }

    /// Returns the event that S3 would send for a written file.
    pub fn created_event(&self, bucket: &str, path: &Path) -> Option<ObjectEvent> {
        self.object_at(path)
            .map(|object| object.to_created_event(bucket))
    }

    /// Returns a file itself as an object, or the objects below a folder.
    fn objects_below(
        &self,
        path: &Path,
        stop: &CancellationToken,
    ) -> io::Result<Vec<ListedObject>> {
        let is_folder = fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_dir());
        let Some(key) = self.object_key(path).filter(|_| is_folder) else {
            return Ok(self.object_at(path).into_iter().collect());
        };
        let prefix = format!("{key}/");
        let page = Walk::new(self, &prefix, None, usize::MAX, stop).list_folder(path, &prefix)?;
        Ok(page.objects)
    }

    /// Lists a page of the objects whose keys have a prefix, sorted by key. A missing root has no objects.
    pub(super) fn list_page(
        &self,
        prefix: &str,
        after: Option<&str>,
        stop: &CancellationToken,
    ) -> io::Result<ObjectPage> {
        if !self.root.exists() {
            return Ok(ObjectPage::default());
        }
        Walk::new(self, prefix, after, self.page_size, stop).list_folder(&self.root, "")
    }
}

/// Runs blocking work on another thread, and asks it to stop when the future is dropped: so that a Ctrl-C does not wait
/// for a large folder.
async fn run_stoppable<T: Send + 'static>(
    work: impl FnOnce(&CancellationToken) -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let stop = CancellationToken::new();
    let _guard = stop.clone().drop_guard();
    let done = tokio::task::spawn_blocking(move || work(&stop)).await;
    done.unwrap_or_else(|error| Err(io::Error::other(error)))
}

pub(super) fn to_object(key: String, metadata: &Metadata) -> ListedObject {
    let changed = content_time(metadata);
    // S3's entity tag changes with the content; size and time stand in for it.
    let nanoseconds = changed.timestamp_nanos_opt().unwrap_or_default();
    ListedObject {
        key,
        size: metadata.len(),
        etag: Some(format!("{:x}-{nanoseconds:x}", metadata.len())),
        last_modified: changed,
    }
}

/// Returns the time at which a file got its present content. A copy that keeps the modification time of
/// its original is new all the same, so the later time of its status change counts where there is one.
fn content_time(metadata: &Metadata) -> DateTime<Utc> {
    let modified = metadata.modified().map(DateTime::from).unwrap_or_default();
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let nanoseconds = u32::try_from(metadata.ctime_nsec()).unwrap_or_default();
        let state = DateTime::from_timestamp(metadata.ctime(), nanoseconds);
        state.unwrap_or_default().max(modified)
    }
    #[cfg(not(unix))]
    modified
}

#[async_trait]
impl ObjectListing for BucketFolder {
    async fn list_objects(
        &self,
        _bucket: &str,
        prefix: &str,
        after: Option<&str>,
    ) -> Result<ObjectPage, String> {
        let (folder, prefix) = (self.clone(), prefix.to_owned());
        let after = after.map(str::to_owned);
        run_stoppable(move |stop| folder.list_page(&prefix, after.as_deref(), stop))
            .await
            .map_err(|error| error.to_string())
    }
}
