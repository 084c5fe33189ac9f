//! [`Watch`]: files that come to a folder.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::{sync::mpsc, time::Instant};

/// How long a file has to be left alone before it counts as written.
const QUIET: Duration = Duration::from_millis(100);

/// Tells of files that come to a folder, once they are left alone for a moment, so that one that is
/// being written is told of when it is whole.
#[derive(Debug)]
pub struct Watch {
    changes: mpsc::UnboundedReceiver<PathBuf>,
    quiet_at: BTreeMap<PathBuf, Instant>,
    // It watches as long as it lives.
    _watcher: RecommendedWatcher,
}

/// A folder that cannot be watched.
#[derive(Debug, thiserror::Error)]
#[error("failed to watch `{}`", path.display())]
pub struct WatchError {
    path: PathBuf,
    #[source]
    source: notify::Error,
}

impl Watch {
    /// Begins to watch a folder and everything in it.
    ///
    /// # Errors
    /// [`WatchError`] when the folder is not there, or the system watches no more.
    pub fn new(folder: &Path) -> Result<Self, WatchError> {
        let failed = |source| WatchError {
            path: folder.to_owned(),
            source,
        };
        let (tell, changes) = mpsc::unbounded_channel();
        let mut watcher =
            notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
                let Ok(event) = event else { return };
                if matches!(event.kind, EventKind::Access(access) if !closes_written(access)) {
                    return;
                }
                for path in event.paths {
                    // Nobody listens any more when the watch is gone.
                    let _ = tell.send(path);
                }
            })
            .map_err(failed)?;
        watcher
            .watch(folder, RecursiveMode::Recursive)
            .map_err(failed)?;
        Ok(Self {
            changes,
            quiet_at: BTreeMap::new(),
            _watcher: watcher,
        })
    }

    /// The next files that were written, or removed: whoever asks looks at what they are now. It may
    /// be given up at any time without losing one.
    pub async fn next(&mut self) -> Vec<PathBuf> {
        loop {
            let next = self.quiet_at.values().min().copied();
            let quiet = async {
                match next {
                    Some(at) => tokio::time::sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                changed = self.changes.recv() => match changed {
                    Some(path) => {
                        self.quiet_at.insert(path, Instant::now() + QUIET);
                    }
                    None => std::future::pending().await,
                },
                () = quiet => {
                    let now = Instant::now();
                    let due = |at: &Instant| *at <= now;
                    let files: Vec<PathBuf> = self
                        .quiet_at
                        .iter()
                        .filter(|(_, at)| due(at))
                        .map(|(path, _)| path.clone())
                        .collect();
                    self.quiet_at.retain(|_, at| !due(at));
                    if !files.is_empty() {
                        return files;
                    }
                }
            }
        }
    }
}

fn closes_written(access: notify::event::AccessKind) -> bool {
    use notify::event::{AccessKind, AccessMode};
    access == AccessKind::Close(AccessMode::Write)
}
