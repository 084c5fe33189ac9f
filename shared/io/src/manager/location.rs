//! Which store a location names.

use std::{
    path::{Component, PathBuf},
    sync::Arc,
};

use object_store::{ObjectStore, local::LocalFileSystem, memory::InMemory, path::Path};
use url::Url;

use super::local_files::LocalFiles;

/// A location that names no store.
#[derive(Debug, thiserror::Error)]
#[error("`{location}` is no place for data: {problem}")]
pub struct InvalidLocation {
    /// What was given.
    pub location: String,
    /// What is wrong with it, and what to write instead.
    pub problem: String,
}

/// A store, and the folder in it.
pub(super) struct Opened {
    pub(super) store: Arc<dyn ObjectStore>,
    pub(super) folder: Path,
    /// The files of this machine, if that is where they are.
    pub(super) files: Option<LocalFiles>,
}

/// Opens a folder path, or a `file:`, `memory:` or `s3:` URL. A folder is created if it is not there.
pub(super) fn open(location: &str) -> Result<Opened, InvalidLocation> {
    parse(location, local)
}

/// The same for what somebody else writes: nothing is created.
pub(crate) fn existing(location: &str) -> Result<(Arc<dyn ObjectStore>, Path), InvalidLocation> {
    let opened = parse(location, |folder| {
        let folder = resolved(folder).map_err(|error| error.to_string())?;
        let folder = Path::from_absolute_path(folder).map_err(|error| error.to_string())?;
        Ok(Opened {
            store: Arc::new(LocalFileSystem::new()),
            folder,
            files: None,
        })
    })?;
    Ok((opened.store, opened.folder))
}

/// A folder's path from the root, without `..`, whether the folder is there or not.
fn resolved(folder: &std::path::Path) -> std::io::Result<PathBuf> {
    if let Ok(folder) = folder.canonicalize() {
        return Ok(folder);
    }
    let mut resolved = PathBuf::new();
    for part in std::path::absolute(folder)?.components() {
        match part {
            Component::ParentDir => {
                resolved.pop();
            }
            part => resolved.push(part),
        }
    }
    Ok(resolved)
}

fn parse(
    location: &str,
    local: impl FnOnce(&std::path::Path) -> Result<Opened, String>,
) -> Result<Opened, InvalidLocation> {
    let invalid = |problem: String| InvalidLocation {
        location: location.to_owned(),
        problem,
    };
    // One letter before `:` is a Windows drive.
    let url = Url::parse(location)
        .ok()
        .filter(|url| url.scheme().len() > 1);
    let Some(url) = url else {
        return local(std::path::Path::new(location)).map_err(invalid);
    };
    match url.scheme() {
        "file" => {
            let folder = url
                .to_file_path()
                .map_err(|()| invalid("a `file:` URL is written `file:///folder`".to_owned()))?;
            local(&folder).map_err(invalid)
        }
        "memory" => Ok(Opened {
            store: Arc::new(InMemory::new()),
            folder: Path::default(),
            files: None,
        }),
        "s3" => s3(&url).map_err(invalid),
        other => Err(invalid(format!(
            "`{other}:` is not known; write a folder such as `data`, or `file:///folder`, `s3://bucket/folder`, `memory:`"
        ))),
    }
}

fn local(folder: &std::path::Path) -> Result<Opened, String> {
    let unusable = |error: &dyn std::fmt::Display| format!("the folder cannot be used: {error}");
    std::fs::create_dir_all(folder).map_err(|error| unusable(&error))?;
    let folder = folder.canonicalize().map_err(|error| unusable(&error))?;
    let store = LocalFileSystem::new_with_prefix(&folder).map_err(|error| unusable(&error))?;
    let store = Arc::new(store);
    Ok(Opened {
        store: Arc::clone(&store) as Arc<dyn ObjectStore>,
        folder: Path::default(),
        files: Some(LocalFiles::new(store, folder)),
    })
}

/// Opens a bucket with what AWS programs read from the environment: region, credentials or where to
/// ask for them, and `AWS_ENDPOINT_URL_S3` or `AWS_ENDPOINT_URL` for a store that only speaks like S3.
#[cfg(feature = "s3")]
fn s3(url: &Url) -> Result<Opened, String> {
    let bucket = url
        .host_str()
        .ok_or_else(|| "an S3 location is written `s3://bucket/folder`".to_owned())?;
    let builder = object_store::aws::AmazonS3Builder::from_env();
    let store = super::s3::store(builder, bucket)?;
    let folder = Path::from_url_path(url.path()).map_err(|error| error.to_string())?;
    Ok(Opened {
        store,
        folder,
        files: None,
    })
}

#[cfg(not(feature = "s3"))]
fn s3(_: &Url) -> Result<Opened, String> {
    Err(
        "this build has no S3 in it; build it with `--features aws`, or write `precip = { .., features = [\"s3\"] }` in Cargo.toml"
            .to_owned(),
    )
}
