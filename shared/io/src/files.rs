//! [`Files`].

use std::sync::Arc;

use bytes::Bytes;
use object_store::{ObjectStore, ObjectStoreExt, path::Path};

use crate::manager::{InvalidLocation, location};

/// Files that other programs write to a folder or a bucket, such as a partner's deliveries.
///
/// ```
/// # futures::executor::block_on(async {
/// # let folder = tempfile::tempdir()?;
/// # std::fs::write(folder.path().join("airlines.csv"), "carrier,name\n")?;
/// # let location = folder.path().to_string_lossy();
/// use precip_io::Files;
///
/// let landing = Files::open(&location)?;
/// let airlines = landing.read("airlines.csv").await?;
/// assert_eq!(airlines.as_deref(), Some(&b"carrier,name\n"[..]));
/// assert_eq!(landing.read("airports.csv").await?, None);
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
#[derive(Debug, Clone)]
pub struct Files {
    store: Arc<dyn ObjectStore>,
    folder: Path,
    location: String,
}

/// A failure to read an existing file.
#[derive(Debug, thiserror::Error)]
#[error("failed to read `{name}` in `{location}`")]
pub struct FilesError {
    /// The path of the file within the folder.
    pub name: String,
    /// The folder or bucket.
    pub location: String,
    /// The cause.
    #[source]
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

impl Files {
    /// Opens a folder (`landing`, `file:///srv/landing`) or a bucket (`s3://bucket/folder`, with the
    /// feature `s3` and the usual AWS environment variables). Nothing is accessed until a file is read.
    ///
    /// # Errors
    /// [`InvalidLocation`] when the location names no store.
    pub fn open(location: &str) -> Result<Self, InvalidLocation> {
        let (store, folder) = location::open_existing(location)?;
        Ok(Self {
            store,
            folder,
            location: location.to_owned(),
        })
    }

    /// Returns the location as it was passed to [`open`](Self::open).
    pub fn location(&self) -> &str {
        &self.location
    }

    /// Reads a file by its path in the folder, such as `flights/2013-01-01.csv.gz`. Returns `None` when it
    /// does not exist.
    ///
    /// # Errors
    /// [`FilesError`] when it cannot be read, or the name is not a path within the folder.
    pub async fn read(&self, name: &str) -> Result<Option<Bytes>, FilesError> {
        let failed = |source: Box<dyn std::error::Error + Send + Sync>| FilesError {
            name: name.to_owned(),
            location: self.location.clone(),
            source,
        };
        // Parsing refuses `..` and empty names.
        let within = Path::parse(name).map_err(|error| failed(error.into()))?;
        let path: Path = self.folder.parts().chain(within.parts()).collect();
        let object = match self.store.get(&path).await {
            Ok(object) => object,
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(failed(error.into())),
        };
        let bytes = object.bytes().await;
        bytes.map(Some).map_err(|error| failed(error.into()))
    }
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    #[tokio::test]
    async fn a_folder_may_have_dots_in_its_path_and_be_created_later() {
        let root = TempDir::new().unwrap();
        std::fs::create_dir(root.path().join("other")).unwrap();
        // `..` must be resolved before the folder exists, too.
        let dotted = |folder: &str| format!("{}/other/../{folder}", root.path().display());
        std::fs::create_dir(root.path().join("landing")).unwrap();
        let existing = Files::open(&dotted("landing")).unwrap();
        let later = Files::open(&dotted("later")).unwrap();
        assert_eq!(later.read("a/b.csv").await.unwrap(), None);
        for folder in ["landing", "later"] {
            let folder = root.path().join(folder).join("a");
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(folder.join("b.csv"), "b").unwrap();
        }
        for files in [existing, later] {
            assert_eq!(files.read("a/b.csv").await.unwrap().unwrap(), "b");
            assert_eq!(files.read("a/c.csv").await.unwrap(), None);
            files.read("../landing/a/b.csv").await.unwrap_err();
        }
    }
}
