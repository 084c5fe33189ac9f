//! [`Watch`]: notice of new files in a folder.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

use notify::{Config, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::{sync::mpsc, time::Instant};

/// The time without a change after which a file counts as completely written.
const QUIET_TIME: Duration = Duration::from_millis(100);

/// A watch on a folder. It reports a file once it has not changed for a moment, so that it is complete.
#[derive(Debug)]
pub struct Watch {
    changes: mpsc::UnboundedReceiver<PathBuf>,
    /// The time at which each changed file counts as written, unless it changes before.
    quiet_at: BTreeMap<PathBuf, Instant>,
    // Dropping it ends the watch.
    _watcher: RecommendedWatcher,
}

/// The error of a folder that cannot be watched.
#[derive(Debug, thiserror::Error)]
#[error("failed to watch `{}`", path.display())]
pub struct WatchError {
    path: PathBuf,
    #[source]
    source: notify::Error,
}

impl Watch {
    /// Begins to watch a folder and everything below it.
    ///
    /// # Errors
    /// [`WatchError`] when the folder does not exist, or the system's limit of watches is reached.
    pub fn new(folder: &Path) -> Result<Self, WatchError> {
        let failed = |source| WatchError {
            path: folder.to_owned(),
            source,
        };
        let (sender, changes) = mpsc::unbounded_channel();
        // A link may lead back into the folder or out of it.
        let config = Config::default().with_follow_symlinks(false);
        let mut watcher = RecommendedWatcher::new(
            move |event: notify::Result<notify::Event>| {
                let Ok(event) = event else { return };
                // Reading a file changes nothing; closing one that was written ends a change.
                if matches!(event.kind, EventKind::Access(access) if !closes_written(access)) {
                    return;
                }
                for path in event.paths {
                    // Sending fails only after the watch was dropped.
                    let _ = sender.send(path);
                }
            },
            config,
        )
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

    /// Returns the next files that were written or removed; the caller checks which. Cancel-safe: no
    /// file is lost if the future is dropped.
    pub async fn next(&mut self) -> Vec<PathBuf> {
        loop {
            // The quiet time of the next file, or never if no file has changed.
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
                    // Another change to the file restarts its quiet time.
                        self.quiet_at.insert(path, Instant::now() + QUIET_TIME);
                    }
                    None => std::future::pending().await,
                },
                () = quiet => {
                    let now = Instant::now();
                    // Files that became quiet at the same time are reported together.
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
