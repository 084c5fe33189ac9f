//! [`ReplaceableFile`]: a file that only newer attempts replace.

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

use super::local_files::{LocalFiles, close_to_others, create_folder, generic_error};
use crate::{
    ParquetOptions, Table,
    format::{
        FormatError,
        parquet::{self, FooterText},
    },
};

/// Key of the footer's text that names the attempt of a file.
const ATTEMPT: &str = "precip.attempt";
/// Key of the footer's text that names the partition of a file.
const PARTITION: &str = "precip.partition";
/// Number of bytes at the end of a file that usually contain the footer.
const FOOTER_BYTES: u64 = 64 * 1024;

/// A Parquet file of a store.
pub(super) struct ReplaceableFile<'a> {
    pub(super) store: &'a Arc<dyn ObjectStore>,
    /// The files of the store, if it is a folder of this machine.
    pub(super) files: Option<&'a LocalFiles>,
    pub(super) path: Path,
}

/// The attempt that wrote a file: the greater of two is newer. `None` is unknown, and older than any.
type FileAttempt = Option<(RunId, u32)>;

impl ReplaceableFile<'_> {
    /// Encodes a table into a file that names its attempt.
    pub(super) fn encode_attempt(
        &self,
        address: &Address,
        table: &Table,
        options: &ParquetOptions,
    ) -> Result<Vec<u8>, FormatError> {
        let attempt = format!("{}-{}", address.run, address.attempt);
        let mut texts = vec![(ATTEMPT, attempt)];
        texts.extend(partition_of(address).map(|key| (PARTITION, key)));
        parquet::encode_parquet(table, options, &texts)
    }

    /// Writes an attempt's content, unless the file is of a newer attempt.
    pub(super) async fn put_if_newer(
        &self,
        address: &Address,
        content: Vec<u8>,
    ) -> object_store::Result<()> {
        let ours: FileAttempt = Some((address.run, address.attempt));
        match self.files {
            Some(files) => {
                let file = files.file_path(&self.path)?;
                // All in one blocking task: a canceled caller must not release the lock halfway.
                let (partition, private) = (partition_of(address), files.is_private());
                let put = move || put_locally(&file, ours, partition.as_deref(), &content, private);
                let result = tokio::task::spawn_blocking(put).await;
                result
                    .unwrap_or_else(|error| Err(io::Error::other(error)))
                    .map_err(generic_error)
            }
            None => self.put_on_condition(ours, content.into()).await,
        }
    }

    /// Writes the content on condition that the object has not changed since its attempt was read.
    async fn put_on_condition(
        &self,
        ours: FileAttempt,
        content: Bytes,
    ) -> object_store::Result<()> {
        loop {
            let mode = match self.current_attempt().await? {
                None => PutMode::Create,
                // A newer attempt has won: its file stays, and ours counts as stored.
                Some((theirs, _)) if theirs > ours => return Ok(()),
                Some((_, version)) => PutMode::Update(version),
            };
            let options = PutOptions::from(mode);
            let put = self
                .store
                .put_opts(&self.path, content.clone().into(), options);
            match put.await {
                // Another writer came first, perhaps a newer attempt: compare again.
                Err(
                    object_store::Error::Precondition { .. }
                    | object_store::Error::AlreadyExists { .. },
                ) => {}
                put => return put.map(drop),
            }
        }
    }

    /// Returns the attempt of the existing object, and its version.
    async fn current_attempt(&self) -> object_store::Result<Option<(FileAttempt, UpdateVersion)>> {
        let mut end = FOOTER_BYTES;
        loop {
            let options = GetOptions::new().with_range(Some(GetRange::Suffix(end)));
            let object = match self.store.get_opts(&self.path, options).await {
                Err(object_store::Error::NotFound { .. }) => return Ok(None),
                object => object?,
            };
            let size = object.meta.size;
            let version = UpdateVersion {
                e_tag: object.meta.e_tag.clone(),
                version: object.meta.version.clone(),
            };
            match read_attempt(&object.bytes().await?, size) {
                Ok(attempt) => return Ok(Some((attempt, version))),
                Err(longer) => end = longer,
            }
        }
    }
}

fn partition_of(address: &Address) -> Option<String> {
    address.partition.as_ref().map(ToString::to_string)
}

/// Returns the partition that a file names in its footer.
fn read_partition(file: &Bytes) -> Option<String> {
    match parquet::read_footer_text(file, file.len() as u64, PARTITION) {
        Ok(FooterText::Known(partition)) => partition,
        Ok(FooterText::NeedsBytes(_)) | Err(_) => None,
    }
}

/// Reads the attempt from the end of a file, or returns the number of bytes at the end that are needed for it.
fn read_attempt(end: &Bytes, size: u64) -> Result<FileAttempt, u64> {
    match parquet::read_footer_text(end, size, ATTEMPT) {
        Ok(FooterText::NeedsBytes(needed)) => Err(needed as u64),
        Ok(FooterText::Known(Some(text))) => Ok(text
            .rsplit_once('-')
            .and_then(|(run, attempt)| Some((run.parse().ok()?, attempt.parse().ok()?)))),
        // The file of another program, or a damaged one: any attempt replaces it.
        Ok(FooterText::Known(None)) | Err(_) => Ok(None),
    }
}

/// Writes a file of this machine, unless it is of a newer attempt. The lock on `.lock` in its folder excludes other
/// writers, in this process and in others; the system releases it when the process ends.
fn put_locally(
    file: &FilePath,
    ours: FileAttempt,
    partition: Option<&str>,
    content: &[u8],
    private: bool,
) -> io::Result<()> {
    let folder = file.parent().unwrap_or(file);
    create_folder(folder, private)?;
    let lock_path = folder.join(".lock");
    let lock = fs::File::create(&lock_path)?;
    if private {
        close_to_others(&lock_path)?;
    }
    // Held until the function returns: reading the attempt and replacing the file are one step for others.
    lock.lock()?;
    let theirs = match fs::read(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        existing => {
            let existing = Bytes::from(existing?);
            let other = read_partition(&existing).filter(|other| Some(other.as_str()) != partition);
            if let Some(other) = other {
                let ours = partition.unwrap_or_default();
                return Err(io::Error::other(format!(
                    "`{}` holds partition `{other}`, and this file system does not tell its folder from that of \
                     `{ours}`: use the versioned layout, or keys that differ in more than case",
                    file.display()
                )));
            }
            let size = existing.len() as u64;
            read_attempt(&existing, size).ok().flatten()
        }
    };
    if theirs > ours {
        return Ok(());
    }
    // A rename replaces the file as a whole: readers see the old or the new one.
    let new: PathBuf = folder.join(".data.parquet.new");
    fs::write(&new, content)?;
    if private {
        close_to_others(&new)?;
    }
    fs::rename(&new, file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::parquet::encode_parquet;

    #[test]
    fn a_file_of_another_partition_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        // As on a file system where `EWR` and `ewr` are one folder.
        let file = folder.path().join("origin=EWR/data.parquet");
        let field = arrow_schema::Field::new("n", arrow_schema::DataType::Int64, false);
        let schema = Arc::new(arrow_schema::Schema::new(vec![field]));
        let table = Table::new(schema, Vec::new()).unwrap();
        let options = ParquetOptions::new();
        let texts = [(PARTITION, "EWR".to_owned())];
        let content = encode_parquet(&table, &options, &texts).unwrap();
        put_locally(&file, None, Some("EWR"), &content, false).unwrap();
        put_locally(&file, None, Some("EWR"), &content, false).unwrap();
        let error = put_locally(&file, None, Some("ewr"), b"other", false).unwrap_err();
        let message = error.to_string();
        assert!(
            message.ends_with(
                "holds partition `EWR`, and this file system does not tell its folder from that of `ewr`: use the \
                 versioned layout, or keys that differ in more than case"
            ),
            "{message}"
        );
        assert_eq!(fs::read(&file).unwrap(), content);
        // A file of an older version names no partition.
        let content = encode_parquet(&table, &options, &[]).unwrap();
        fs::write(&file, &content).unwrap();
        put_locally(&file, None, Some("ewr"), b"new", false).unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"new");
    }
}
