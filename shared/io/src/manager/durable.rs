//! [`Durable`]: files that outlast a power failure, many at a time.

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

/// How many threads wait for the disk at a time.
const AT_ONCE: usize = 4;

/// Waits until a file or folder is on the disk.
pub(super) type Wait = dyn Fn(&Path) -> io::Result<()> + Send + Sync;

/// Makes files below a folder durable, with every folder that leads to them.
///
/// A disk takes about as long for many files as for one. So one caller at a time has the disk, and
/// does what all others ask for who came while it was busy; a folder that several files share is done
/// once.
#[derive(Clone)]
pub(super) struct Durable {
    root: PathBuf,
    wait: Arc<Wait>,
    asked: Arc<Mutex<Vec<Job>>>,
    /// Held by who has the disk.
    disk: Arc<tokio::sync::Mutex<Known>>,
}

/// Folders that can be found on the disk. The folders of single partitions are not kept here: each is
/// used once, as a rule.
type Known = BTreeSet<PathBuf>;

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
    /// For the files below a folder of this machine.
    pub(super) fn below(root: PathBuf) -> Self {
        Self::with(root, Arc::new(wait))
    }

    /// The same, on a disk of the caller's.
    pub(super) fn with(root: PathBuf, wait: Arc<Wait>) -> Self {
        Self {
            root,
            wait,
            asked: Arc::default(),
            disk: Arc::default(),
        }
    }

    /// Returns when the files are on the disk, and can be found there.
    ///
    /// # Errors
    /// When that cannot be said of one of them. The message names it.
    pub(super) async fn keep(&self, files: Vec<PathBuf>) -> io::Result<()> {
        loop {
            let (answer, answered) = oneshot::channel();
            let files = files.clone();
            self.asked().push(Job { files, answer });
            let answer = match select(answered, pin!(self.disk.lock())).await {
                Either::Left((answer, _)) => answer,
                Either::Right((mut known, answered)) => {
                    // Ours is among them, unless it was done just now.
                    let jobs = std::mem::take(&mut *self.asked());
                    self.serve(jobs, &mut known).await;
                    answered.await
                }
            };
            // There is no answer when who had the disk was canceled over it.
            if let Ok(answer) = answer {
                return answer;
            }
        }
    }

    fn asked(&self) -> std::sync::MutexGuard<'_, Vec<Job>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn serve(&self, jobs: Vec<Job>, known: &mut Known) {
        let mut found = Known::new();
        let needs: Vec<BTreeSet<PathBuf>> = jobs
            .iter()
            .map(|job| self.needs(&job.files, known, &mut found))
            .collect();
        let all: BTreeSet<&PathBuf> = needs.iter().flatten().collect();
        let troubles = self.wait_for(all.into_iter().cloned().collect()).await;
        match troubles.is_empty() {
            true => known.append(&mut found),
            // Somebody may have moved the folder away: nothing is sure any more.
            false => known.clear(),
        }
        for (job, needs) in jobs.into_iter().zip(&needs) {
            let trouble = needs.iter().find_map(|path| {
                let error = troubles.get(path)?;
                let message = format!("`{}` is not safe: {error}", path.display());
                Some(io::Error::new(error.kind(), message))
            });
            // Nobody listens when the caller was canceled.
            let _ = job.answer.send(trouble.map_or(Ok(()), Err));
        }
    }

    /// What has to be on the disk so that files are: the files, the folders that hold them, and every
    /// folder above in which something may be new. `found` gets what can be found once they are.
    fn needs(&self, files: &[PathBuf], known: &Known, found: &mut Known) -> BTreeSet<PathBuf> {
        let mut needs = BTreeSet::new();
        for file in files {
            needs.insert(file.clone());
            // Other systems keep their folders by themselves.
            let Some(own) = file.parent().filter(|_| cfg!(unix)) else {
                continue;
            };
            needs.insert(own.to_owned());
            for folder in own.ancestors() {
                let Some(above) = folder.parent().filter(|_| !known.contains(folder)) else {
                    break;
                };
                needs.insert(above.to_owned());
                if folder != own {
                    found.insert(folder.to_owned());
                }
                if folder == self.root {
                    break;
                }
            }
        }
        needs
    }

    /// Waits for the disk, for several files at a time: file systems write down in one go what is
    /// waited for at the same time. Answers what went wrong, and where.
    async fn wait_for(&self, paths: Vec<PathBuf>) -> BTreeMap<PathBuf, io::Error> {
        let wait = Arc::clone(&self.wait);
        let some = move |paths: Vec<PathBuf>| -> Vec<(PathBuf, io::Error)> {
            let one = |path: PathBuf| wait(&path).err().map(|error| (path, error));
            paths.into_iter().filter_map(one).collect()
        };
        let Ok(runtime) = Handle::try_current() else {
            return some(paths).into_iter().collect();
        };
        let share = paths.len().div_ceil(AT_ONCE).max(1);
        let shares = paths.chunks(share).map(|paths| async {
            let (some, share) = (some.clone(), paths.to_vec());
            let ended = runtime.spawn_blocking(move || some(share)).await;
            ended.unwrap_or_else(|error| {
                let lost = |path: &PathBuf| (path.clone(), io::Error::other(error.to_string()));
                paths.iter().map(lost).collect()
            })
        });
        join_all(shares).await.into_iter().flatten().collect()
    }
}

fn wait(path: &Path) -> io::Result<()> {
    fs::File::open(path)?.sync_all()
}

#[cfg(test)]
mod tests;
