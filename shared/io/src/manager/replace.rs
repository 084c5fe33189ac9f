//! [`Replace`]: a file that newer attempts replace, and older ones leave.

use std::{
    fs, io,
    path::{Path as FilePath, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use object_store::{
    GetOptions, GetRange, ObjectStore, PutMode, PutOptions, UpdateVersion, path::Path,
};
use precip_engine::{io::Address, run_id::RunId};

use super::local_files::LocalFiles;
use crate::{
    ParquetOptions, Table,
    format::{
        FormatError,
        parquet::{self, Kept},
    },
};

/// In a file's footer: which attempt it is of.
const ATTEMPT: &str = "precip.attempt";
/// The end of a file that holds its footer, as a rule.
const END: u64 = 64 * 1024;

/// A Parquet file of a store.
pub(super) struct Replace<'a> {
    pub(super) store: &'a Arc<dyn ObjectStore>,
    /// Where the store is a folder of this machine.
    pub(super) files: Option<&'a LocalFiles>,
    pub(super) path: Path,
}

/// Which attempt a file is of; of two the greater is newer. `None`: not known, and replaced by any.
type Of = Option<(RunId, u32)>;

impl Replace<'_> {
    /// The content of a file that says which attempt it is of.
    pub(super) fn encode(
        &self,
        address: &Address,
        table: &Table,
        options: &ParquetOptions,
    ) -> Result<Vec<u8>, FormatError> {
        let attempt = format!("{}-{}", address.run, address.attempt);
        parquet::encode(table, options, &[(ATTEMPT, attempt)])
    }

    /// Puts an attempt's content there, unless a newer attempt's is there already.
    pub(super) async fn put(
        &self,
        address: &Address,
        content: Vec<u8>,
    ) -> object_store::Result<()> {
        let ours: Of = Some((address.run, address.attempt));
        match self.files {
            Some(files) => {
                let file = files.file(&self.path)?;
                // One piece, so that a caller who stops waiting cannot let go of the lock.
                let put = move || put_locally(&file, ours, &content);
                let put = tokio::task::spawn_blocking(put).await;
                put.unwrap_or_else(|error| Err(io::Error::other(error)))
                    .map_err(|error| object_store::Error::Generic {
                        store: "LocalFileSystem",
                        source: Box::new(error),
                    })
            }
            None => self.put_on_condition(ours, content.into()).await,
        }
    }

    async fn put_on_condition(&self, ours: Of, content: Bytes) -> object_store::Result<()> {
        loop {
            let mode = match self.there().await? {
                None => PutMode::Create,
                Some((theirs, _)) if theirs > ours => return Ok(()),
                Some((_, version)) => PutMode::Update(version),
            };
            let options = PutOptions::from(mode);
            let put = self
                .store
                .put_opts(&self.path, content.clone().into(), options);
            match put.await {
                // Somebody else was quicker: it may be a newer attempt.
                Err(
                    object_store::Error::Precondition { .. }
                    | object_store::Error::AlreadyExists { .. },
                ) => {}
                put => return put.map(drop),
            }
        }
    }

    /// Which attempt is there, and which version of the object that is.
    async fn there(&self) -> object_store::Result<Option<(Of, UpdateVersion)>> {
        let mut end = END;
        loop {
            let options = GetOptions::new().with_range(Some(GetRange::Suffix(end)));
            let found = match self.store.get_opts(&self.path, options).await {
                Err(object_store::Error::NotFound { .. }) => return Ok(None),
                found => found?,
            };
            let size = found.meta.size;
            let version = UpdateVersion {
                e_tag: found.meta.e_tag.clone(),
                version: found.meta.version.clone(),
            };
            match attempt(&found.bytes().await?, size) {
                Ok(of) => return Ok(Some((of, version))),
                Err(longer) => end = longer,
            }
        }
    }
}

/// Which attempt a file's end says that it is of, or how much of the end is needed to know.
fn attempt(end: &Bytes, size: u64) -> Result<Of, u64> {
    match parquet::kept(end, size, ATTEMPT) {
        Ok(Kept::Longer(needed)) => Err(needed as u64),
        Ok(Kept::Text(Some(text))) => Ok(text
            .rsplit_once('-')
            .and_then(|(run, attempt)| Some((run.parse().ok()?, attempt.parse().ok()?)))),
        // Somebody else's file, or one that is damaged: it is replaced.
        Ok(Kept::Text(None)) | Err(_) => Ok(None),
    }
}

/// The same with files of this machine. A lock on a file beside it keeps others out, in this process and
/// in others; it goes with the process.
fn put_locally(file: &FilePath, ours: Of, content: &[u8]) -> io::Result<()> {
    let folder = file.parent().unwrap_or(file);
    fs::create_dir_all(folder)?;
    let lock = fs::File::create(folder.join(".lock"))?;
    lock.lock()?;
    let theirs = match fs::read(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        there => {
            let there = Bytes::from(there?);
            let size = there.len() as u64;
            attempt(&there, size).ok().flatten()
        }
    };
    if theirs > ours {
        return Ok(());
    }
    let new: PathBuf = folder.join(".data.parquet.new");
    fs::write(&new, content)?;
    fs::rename(&new, file)
}
