//! Files of runs that ended long ago.

use std::{fs, io, path::PathBuf};

use chrono::{DateTime, Utc};
use precip_engine::{
    run_id::RunId,
    state::{Run, StateStore},
};

use super::{Home, HomeError};

/// The folder of a run that ended long ago.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OldRun {
    /// The run.
    pub id: RunId,
    /// The size of its files in bytes.
    pub bytes: u64,
    folder: PathBuf,
}

/// Returns `true` if a run's files can be removed: it ended before a moment. The files of a run without a record
/// were written before the run was created, which then failed.
fn is_old(id: RunId, run: Option<&Run>, before: DateTime<Utc>) -> bool {
    match run {
        Some(run) => {
            run.status.is_finished() && run.finished_at.is_some_and(|ended| ended < before)
        }
        None => DateTime::<Utc>::from(id.as_ulid().datetime()) < before,
    }
}

impl Home {
    /// Finds the files of runs that ended before a moment. Such a run can no longer be resumed or retried without
    /// them; its record stays.
    ///
    /// # Errors
    /// [`HomeError`] when the folder or the record cannot be read.
    pub async fn find_old_runs(
        &self,
        store: &dyn StateStore,
        before: DateTime<Utc>,
    ) -> Result<Vec<OldRun>, HomeError> {
        let mut found = Vec::new();
        for folder in self.read_run_folders()? {
            // Other names were not given by this program.
            let name = folder.file_name().and_then(|name| name.to_str());
            let Some(id) = name.and_then(|name| name.parse::<RunId>().ok()) else {
                continue;
            };
            let run = store.find_run(id).await?;
            if is_old(id, run.as_ref(), before) {
                let bytes = size_of_files(&folder).map_err(|source| HomeError::Unreadable {
                    path: folder.clone(),
                    source,
                })?;
                found.push(OldRun { id, bytes, folder });
            }
        }
        found.sort_by_key(|old| old.id);
        Ok(found)
    }

    /// Removes the files of a run. Files that are gone already are no error.
    ///
    /// # Errors
    /// [`HomeError`] when they cannot be removed.
    pub fn remove_old_run(&self, old: &OldRun) -> Result<(), HomeError> {
        match fs::remove_dir_all(&old.folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(HomeError::Remove {
                path: old.folder.clone(),
                source: error,
            }),
            _ => Ok(()),
        }
    }

    fn read_run_folders(&self) -> Result<Vec<PathBuf>, HomeError> {
        let folder = self.runs_folder();
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.and_then(|entries| {
                entries
                    .map(|entry| entry.map(|entry| entry.path()))
                    .collect()
            }),
        };
        entries.map_err(|source| HomeError::Unreadable {
            path: folder,
            source,
        })
    }
}

fn size_of_files(folder: &std::path::Path) -> io::Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let found = entry.metadata()?;
        bytes += if found.is_dir() {
            size_of_files(&entry.path())?
        } else {
            found.len()
        };
    }
    Ok(bytes)
}
