//! Opening the store at a location.

use std::{
    path::{Component, PathBuf},
    sync::Arc,
};

use object_store::{ObjectStore, local::LocalFileSystem, memory::InMemory, path::Path};
use url::Url;

use super::local_files::{LocalFiles, create_folder};

/// A location that names no usable store.
#[derive(Debug, thiserror::Error)]
#[error("`{location}` is not a location for data: {problem}")]
pub struct InvalidLocation {
    /// The location as it was written.
    pub location: String,
    /// The problem, and what to write instead.
    pub problem: String,
}

/// An open store, and the folder within it.
pub(super) struct Opened {
    pub(super) store: Arc<dyn ObjectStore>,
    pub(super) folder: Path,
    /// The files of the store, if it is a folder of this machine.
    pub(super) files: Option<LocalFiles>,
}

/// Opens a folder path, or a `file:`, `memory:` or `s3:` URL. A missing folder is created.
pub(super) fn open_location(location: &str) -> Result<Opened, InvalidLocation> {
    parse_location(location, |folder| open_local(folder, false))
}

/// Opens a folder whose files only their owner can read. A missing folder is created.
pub(super) fn open_private_folder(
    folder: &std::path::Path,
    location: &str,
) -> Result<Opened, InvalidLocation> {
    open_local(folder, true).map_err(|problem| InvalidLocation {
        location: location.to_owned(),
        problem,
    })
}

/// Opens a location that other programs write to: nothing is created.
pub(crate) fn open_existing(
    location: &str,
) -> Result<(Arc<dyn ObjectStore>, Path), InvalidLocation> {
    let opened = parse_location(location, |folder| {
        let resolved = resolve_folder(folder).map_err(|error| error.to_string())?;
        let folder = Path::from_absolute_path(resolved).map_err(|error| error.to_string())?;
        Ok(Opened {
            store: Arc::new(LocalFileSystem::new()),
            folder,
            files: None,
        })
    })?;
    Ok((opened.store, opened.folder))
}

/// Returns the absolute path of a folder without `..`. The folder need not exist.
fn resolve_folder(folder: &std::path::Path) -> std::io::Result<PathBuf> {
    if let Ok(folder) = folder.canonicalize() {
        return Ok(folder);
    }
    let mut resolved = PathBuf::new();
    // `canonicalize` needs an existing folder; here `..` can only be removed by text.
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

fn parse_location(
    location: &str,
    open_folder: impl FnOnce(&std::path::Path) -> Result<Opened, String>,
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
        return open_folder(std::path::Path::new(location)).map_err(invalid);
    };
    // The known schemes; a typo must not become a folder name.
    match url.scheme() {
        "file" => {
            let folder = url
                .to_file_path()
                .map_err(|()| invalid("a `file:` URL is written `file:///folder`".to_owned()))?;
            open_folder(&folder).map_err(invalid)
        }
        "memory" => Ok(Opened {
            store: Arc::new(InMemory::new()),
            folder: Path::default(),
            files: None,
        }),
        "s3" => open_s3(&url).map_err(invalid),
        other => Err(invalid(format!(
            "`{other}:` is not known; write a folder such as `data`, or `file:///folder`, `s3://bucket/folder`, `memory:`"
        ))),
    }
}

fn open_local(folder: &std::path::Path, private: bool) -> Result<Opened, String> {
    let unusable = |error: &dyn std::fmt::Display| format!("the folder cannot be used: {error}");
    create_folder(folder, private).map_err(|error| unusable(&error))?;
    let folder = folder.canonicalize().map_err(|error| unusable(&error))?;
    let store = LocalFileSystem::new_with_prefix(&folder)
        .map(Arc::new)
        .map_err(|error| unusable(&error))?;
    Ok(Opened {
        store: Arc::clone(&store) as Arc<dyn ObjectStore>,
        folder: Path::default(),
        files: Some(LocalFiles::new(store, folder, private)),
    })
}

/// Opens a bucket with the usual AWS environment variables: region, credentials or their source, and
/// `AWS_ENDPOINT_URL_S3` or `AWS_ENDPOINT_URL` for a store that is compatible with S3.
#[cfg(feature = "s3")]
fn open_s3(url: &Url) -> Result<Opened, String> {
    let bucket = url
        .host_str()
        .ok_or_else(|| "an S3 location is written `s3://bucket/folder`".to_owned())?;
    let builder = object_store::aws::AmazonS3Builder::from_env();
    let store = super::s3::build_store(builder, bucket)?;
    let folder = Path::from_url_path(url.path()).map_err(|error| error.to_string())?;
    Ok(Opened {
        store,
        folder,
        files: None,
    })
}

#[cfg(not(feature = "s3"))]
fn open_s3(_: &Url) -> Result<Opened, String> {
    Err(
        "this build does not include S3; build it with `--features aws`, or write `precip = { .., features = [\"s3\"] }` in Cargo.toml"
            .to_owned(),
    )
}
