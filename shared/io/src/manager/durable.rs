//! [`Durable`]: making files survive a power failure, several at a time.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt, fs, io,
    path::{Path, PathBuf},
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
};

use futures::{
    channel::oneshot,
    future::{Either, join_all, select},
};
use tokio::runtime::Handle;

/// Number of threads that sync at the same time.
const SYNC_THREADS: usize = 4;

/// A function that syncs a file or folder to the disk.
pub(super) type SyncFn = dyn Fn(&Path) -> io::Result<()> + Send + Sync;

/// Makes files below a folder durable, together with every folder that leads to them.
///
/// A disk takes about as long to sync many files as to sync one. So one caller at a time has the disk, and syncs
/// the files of all callers that arrived while the disk was busy; a folder that several files share is synced once.
#[derive(Clone)]
pub(super) struct Durable {
    root: PathBuf,
    sync: Arc<SyncFn>,
    pending: Arc<Mutex<Vec<Job>>>,
    /// Held by the caller that has the disk.
    disk: Arc<tokio::sync::Mutex<DurableFolders>>,
}

/// Folders that are known to be durable. Folders of single partitions are left out: most are used only once.
type DurableFolders = BTreeSet<PathBuf>;

/// The files of one caller, and the channel for the result.
struct Job {
    files: Vec<PathBuf>,
    answer: oneshot::Sender<io::Result<()>>,
}

impl fmt::Debug for Durable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Durable").field(&self.root).finish()
    }
}

impl Durable {
    /// Creates one for the files below a folder of this machine.
    pub(super) fn for_root(root: PathBuf) -> Self {
        Self::with_sync(root, Arc::new(sync_path))
    }

    /// Creates one that syncs with a given function.
    pub(super) fn with_sync(root: PathBuf, sync: Arc<SyncFn>) -> Self {
        Self {
            root,
            sync,
            pending: Arc::default(),
            disk: Arc::default(),
        }
    }

    /// Returns when the files and the folders that lead to them are on the disk.
    ///
    /// # Errors
    /// When one of them may not be durable. The message names it.
    pub(super) async fn make_durable(&self, files: Vec<PathBuf>) -> io::Result<()> {
        loop {
            let (answer, answered) = oneshot::channel();
            let files = files.clone();
            self.lock_pending().push(Job { files, answer });
            let answer = match select(answered, pin!(self.disk.lock())).await {
                Either::Left((answer, _)) => answer,
                Either::Right((mut known, answered)) => {
                    // Our job is among them, unless the previous caller has just done it.
                    let jobs = std::mem::take(&mut *self.lock_pending());
                    self.serve_jobs(jobs, &mut known).await;
                    answered.await
                }
            };
            // Without an answer, the caller that had the disk was canceled meanwhile: try again.
            if let Ok(answer) = answer {
                return answer;
            }
        }
    }

    fn lock_pending(&self) -> std::sync::MutexGuard<'_, Vec<Job>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn serve_jobs(&self, jobs: Vec<Job>, known: &mut DurableFolders) {
        let mut newly_durable = DurableFolders::new();
        let paths_by_job: Vec<BTreeSet<PathBuf>> = jobs
            .iter()
            .map(|job| self.paths_to_sync(&job.files, known, &mut newly_durable))
            .collect();
        // A path that several jobs need is synced once.
        let all: BTreeSet<&PathBuf> = paths_by_job.iter().flatten().collect();
        let failures = self.sync_paths(all.into_iter().cloned().collect()).await;
        if failures.is_empty() {
            known.append(&mut newly_durable);
        } else {
            // The folder may have been moved away: what was known of it may be wrong now.
            known.clear();
        }
        for (job, paths) in jobs.into_iter().zip(&paths_by_job) {
            let failure = paths.iter().find_map(|path| {
                let error = failures.get(path)?;
                let message = format!("`{}` is not safe: {error}", path.display());
                Some(io::Error::new(error.kind(), message))
            });
            // Sending fails when the caller was canceled.
            let _ = job.answer.send(failure.map_or(Ok(()), Err));
        }
    }

    /// Returns the paths to sync so that files are durable: the files, their folders, and every folder above that
    /// may have a new entry. Folders that are durable afterwards are added to `newly_durable`.
    fn paths_to_sync(
        &self,
        files: &[PathBuf],
        known: &DurableFolders,
        newly_durable: &mut DurableFolders,
    ) -> BTreeSet<PathBuf> {
        let mut paths = BTreeSet::new();
        for file in files {
            paths.insert(file.clone());
            // Systems other than Unix need no sync of folders.
            let Some(own) = file.parent().filter(|_| cfg!(unix)) else {
                continue;
            };
            paths.insert(own.to_owned());
            // A new folder is an entry of the folder above it. A known one was synced there before.
            for folder in own.ancestors() {
                let Some(above) = folder.parent().filter(|_| !known.contains(folder)) else {
                    break;
                };
                paths.insert(above.to_owned());
                if folder != own {
                    newly_durable.insert(folder.to_owned());
                }
                if folder == self.root {
                    break;
                }
            }
        }
        paths
    }

    /// Syncs paths on several threads: file systems write together what is synced at the same time. Returns the
    /// errors by path.
    async fn sync_paths(&self, paths: Vec<PathBuf>) -> BTreeMap<PathBuf, io::Error> {
        let sync = Arc::clone(&self.sync);
        let sync_all = move |paths: Vec<PathBuf>| -> Vec<(PathBuf, io::Error)> {
            let sync_one = |path: PathBuf| sync(&path).err().map(|error| (path, error));
            paths.into_iter().filter_map(sync_one).collect()
        };
        let Ok(runtime) = Handle::try_current() else {
            // Outside of a runtime, as in some tests, this thread does it.
            return sync_all(paths).into_iter().collect();
        };
        let share = paths.len().div_ceil(SYNC_THREADS).max(1);
        let shares = paths.chunks(share).map(|paths| async {
            let (sync_all, share) = (sync_all.clone(), paths.to_vec());
            let ended = runtime.spawn_blocking(move || sync_all(share)).await;
            ended.unwrap_or_else(|error| {
                let failed = |path: &PathBuf| (path.clone(), io::Error::other(error.to_string()));
                paths.iter().map(failed).collect()
            })
        });
        join_all(shares).await.into_iter().flatten().collect()
    }
}

fn sync_path(path: &Path) -> io::Result<()> {
    fs::File::open(path)?.sync_all()
}

#[cfg(test)]
mod tests;
