//! [`BucketFolder`]: its files are the objects.

use std::{
    fs::{self, Metadata},
    io,
    path::{Path, PathBuf},
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use precip_core::trigger::{ObjectChange, ObjectEvent};
use precip_engine::trigger::{ListedObject, ObjectListing, ObjectPage};

/// How many files are listed at a time.
const PAGE: usize = 1_000;

/// A folder whose files are the objects of a bucket. Their keys are their paths from the folder with
/// `/` between the parts. Files and folders that begin with `.` are left out: editors and uploads keep
/// there what is not complete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketFolder {
    root: PathBuf,
}

impl BucketFolder {
    /// Names the folder. It is looked at when it is listed.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The key of a file; `None` for one that is no object.
    pub fn key(&self, path: &Path) -> Option<String> {
        let path = path.strip_prefix(&self.root).ok()?;
        let parts: Option<Vec<&str>> = path
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

    /// A file as the object that it is now; `None` when it is none (any more).
    pub fn object(&self, path: &Path) -> Option<ListedObject> {
        let key = self.key(path)?;
        let metadata = fs::metadata(path).ok().filter(Metadata::is_file)?;
        let changed = changed(&metadata);
        let nanoseconds = changed.timestamp_nanos_opt().unwrap_or_default();
        Some(ListedObject {
            key,
            size: metadata.len(),
            etag: Some(format!("{:x}-{nanoseconds:x}", metadata.len())),
            last_modified: changed,
        })
    }

    /// A file itself, or the files in a folder: those that came with a new folder may have come before
    /// anybody could watch it.
    pub fn below(&self, path: &Path) -> Vec<PathBuf> {
        let Some(key) = self.key(path).filter(|_| path.is_dir()) else {
            return vec![path.to_owned()];
        };
        let mut found = Vec::new();
        // What cannot be read now is found by the next sweep.
        let _ = self.collect(path, &format!("{key}/"), &mut found);
        found
            .into_iter()
            .map(|object| self.root.join(object.key))
            .collect()
    }

    /// A file that was written, as S3 would tell of it.
    pub fn written(&self, bucket: &str, path: &Path) -> Option<ObjectEvent> {
        let object = self.object(path)?;
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

    /// The objects whose keys begin so, by key.
    ///
    /// # Errors
    /// When a folder cannot be read. A root that is not there holds nothing.
    pub fn objects(&self, prefix: &str) -> io::Result<Vec<ListedObject>> {
        let mut found = Vec::new();
        if self.root.exists() {
            self.collect(&self.root, prefix, &mut found)?;
        }
        found.sort_by(|one, other| one.key.cmp(&other.key));
        Ok(found)
    }

    fn collect(
        &self,
        folder: &Path,
        prefix: &str,
        found: &mut Vec<ListedObject>,
    ) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let Some(key) = self.key(&path) else { continue };
            if path.is_dir() {
                // Only folders that lead to the prefix, or lie below it.
                let below = format!("{key}/");
                if below.starts_with(prefix) || prefix.starts_with(&below) {
                    self.collect(&path, prefix, found)?;
                }
            } else if key.starts_with(prefix) {
                found.extend(self.object(&path));
            }
        }
        Ok(())
    }
}

/// When a file last became what it is. A copy that keeps the time of its original is new all the
/// same, and the time of its change of state says so where there is one.
fn changed(metadata: &Metadata) -> DateTime<Utc> {
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
    async fn list(
        &self,
        _bucket: &str,
        prefix: &str,
        after: Option<&str>,
    ) -> Result<ObjectPage, String> {
        let objects = self.objects(prefix).map_err(|error| error.to_string())?;
        let rest = objects
            .into_iter()
            .filter(|object| after.is_none_or(|after| object.key.as_str() > after));
        let mut objects: Vec<ListedObject> = rest.take(PAGE + 1).collect();
        let more = objects.len() > PAGE;
        objects.truncate(PAGE);
        Ok(ObjectPage {
            next: objects.last().filter(|_| more).map(|last| last.key.clone()),
            objects,
        })
    }
}
