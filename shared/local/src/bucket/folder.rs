//! [`BucketFolder`]: a folder as a bucket of objects.

use std::{
    fs::{self, Metadata},
    io,
    path::{Path, PathBuf},
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use precip_core::trigger::{ObjectChange, ObjectEvent};
use precip_engine::trigger::{ListedObject, ObjectListing, ObjectPage};

/// Number of objects on a page of a listing.
const PAGE_SIZE: usize = 1_000;

/// A folder whose files are the objects of a bucket. An object's key is its path within the folder, with
/// `/` between the parts. Files and folders that begin with `.` are ignored: editors and uploads use
/// them for incomplete files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketFolder {
    root: PathBuf,
}

impl BucketFolder {
    /// Uses a folder, which need not exist yet.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
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

    /// Returns a file as an object; `None` if it is not an object, or no longer exists.
    pub fn object_at(&self, path: &Path) -> Option<ListedObject> {
        let key = self.object_key(path)?;
        let metadata = fs::metadata(path).ok().filter(Metadata::is_file)?;
        let changed = content_time(&metadata);
        // S3's entity tag changes with the content; size and time stand in for it.
        let nanoseconds = changed.timestamp_nanos_opt().unwrap_or_default();
        Some(ListedObject {
            key,
            size: metadata.len(),
            etag: Some(format!("{:x}-{nanoseconds:x}", metadata.len())),
            last_modified: changed,
        })
    }

    /// Returns a file itself, or the files below a folder: files may have been added to a new folder
    /// before it was watched.
    pub fn files_below(&self, path: &Path) -> Vec<PathBuf> {
        let Some(key) = self.object_key(path).filter(|_| path.is_dir()) else {
            return vec![path.to_owned()];
        };
        let mut found = Vec::new();
        // The next sweep finds what cannot be read now.
        let _ = self.collect_objects(path, &format!("{key}/"), &mut found);
        found
            .into_iter()
            .map(|object| self.root.join(object.key))
            .collect()
    }

    /// Returns the event that S3 would send for a written file.
    pub fn created_event(&self, bucket: &str, path: &Path) -> Option<ObjectEvent> {
        let object = self.object_at(path)?;
        Some(ObjectEvent {
            bucket: bucket.to_owned(),
            key: object.key,
            change: ObjectChange::Created,
            at: object.last_modified,
            size: Some(object.size),
            etag: object.etag,
            version: None,
            sequencer: None,
        })
    }

    /// Lists the objects whose keys have a prefix, sorted by key. A missing root has no objects.
    ///
    /// # Errors
    /// When a folder cannot be read.
    pub fn objects_with_prefix(&self, prefix: &str) -> io::Result<Vec<ListedObject>> {
        let mut found = Vec::new();
        if self.root.exists() {
            self.collect_objects(&self.root, prefix, &mut found)?;
        }
        found.sort_by(|one, other| one.key.cmp(&other.key));
        Ok(found)
    }

    fn collect_objects(
        &self,
        folder: &Path,
        prefix: &str,
        found: &mut Vec<ListedObject>,
    ) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let Some(key) = self.object_key(&path) else {
                continue;
            };
            if path.is_dir() {
                // Only folders on the way to the prefix, or below it.
                let below = format!("{key}/");
                if below.starts_with(prefix) || prefix.starts_with(&below) {
                    self.collect_objects(&path, prefix, found)?;
                }
            } else if key.starts_with(prefix) {
                found.extend(self.object_at(&path));
            }
        }
        Ok(())
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
        let objects = self
            .objects_with_prefix(prefix)
            .map_err(|error| error.to_string())?;
        let rest = objects
            .into_iter()
            .filter(|object| after.is_none_or(|after| object.key.as_str() > after));
        // One more than a page holds tells that there is a next page.
        let mut page: Vec<ListedObject> = rest.take(PAGE_SIZE + 1).collect();
        let more = page.len() > PAGE_SIZE;
        page.truncate(PAGE_SIZE);
        Ok(ObjectPage {
            next: page.last().filter(|_| more).map(|last| last.key.clone()),
            objects: page,
        })
    }
}
