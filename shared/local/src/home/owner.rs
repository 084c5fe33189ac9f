//! Owners of runs on this machine: which process executes a run, and if it is still alive.
//!
//! A process holds an operating system's lock on a file named after it. The system releases the lock
//! when the process ends, however it ends: a run whose owner's file is not locked was interrupted.

use std::{
    fs::{self, File, TryLockError},
    path::{Path, PathBuf},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use precip_engine::state::{OwnerId, Run, RunStatus, StateStore};

use super::{Home, HomeError, create_private_file};

/// A lock that shows that this process is alive. It is held until the value is dropped or the process
/// ends.
#[derive(Debug)]
pub struct ProcessLock {
    owner: OwnerId,
    path: PathBuf,
    // Held open: closing it releases the lock.
    _file: File,
}

impl Home {
    fn lock_path(&self, owner: &OwnerId) -> PathBuf {
        // The id comes from a store that others may write: it must not lead out of the folder.
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        let name: String = owner.0.chars().filter(|c| plain(*c)).collect();
        self.locks_folder().join(format!("{name}.lock"))
    }

    /// Takes the lock of this process, and removes the lock files of processes that are dead. `owner` is a unique id,
    /// such as a new ULID.
    ///
    /// # Errors
    /// [`HomeError`] when the home cannot be created, its disk has no locks, or another process holds
    /// this one.
    pub fn lock_process(&self, owner: OwnerId) -> Result<ProcessLock, HomeError> {
        self.create_folders()?;
        let path = self.lock_path(&owner);
        let failed = |source| HomeError::Lock {
            path: path.clone(),
            source,
        };
        if path.exists() && self.is_alive(&owner)? {
            return Err(failed(std::io::ErrorKind::AlreadyExists.into()));
        }
        // Locked before it has its name: a file of that name without a lock is of a dead process.
        let new = path.with_extension("new");
        let file = create_private_file(&new).map_err(failed)?;
        // The lock belongs to the open file, so a second open of the name conflicts even in one process.
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::Error(source)) => return Err(failed(source)),
            Err(TryLockError::WouldBlock) => {
                return Err(failed(std::io::ErrorKind::AlreadyExists.into()));
            }
        }
        fs::rename(&new, &path).map_err(failed)?;
        self.remove_dead_locks();
        Ok(ProcessLock {
            owner,
            path,
            _file: file,
        })
    }

    /// Removes the lock files that no process holds. One that cannot be read or removed does no harm.
    fn remove_dead_locks(&self) {
        let Ok(entries) = fs::read_dir(self.locks_folder()) else {
            return;
        };
        for path in entries.flatten().map(|entry| entry.path()) {
            let is_dead = match path.extension().and_then(|extension| extension.to_str()) {
                // A shared lock, as of a process that looks: it is not taken for the owner.
                Some("lock") => File::open(&path).is_ok_and(|file| file.try_lock_shared().is_ok()),
                // Its process may be about to lock it.
                Some("new") => is_older_than_an_hour(&path),
                _ => false,
            };
            if is_dead {
                let _ = fs::remove_file(&path);
            }
        }
    }

    /// Returns `true` if the process that locked this id is still alive.
    ///
    /// # Errors
    /// [`HomeError`] when its lock file cannot be opened.
    pub fn is_alive(&self, owner: &OwnerId) -> Result<bool, HomeError> {
        let path = self.lock_path(owner);
        let failed = |source| HomeError::Lock {
            path: path.clone(),
            source,
        };
        let file = match File::open(&path) {
            // A lock file is removed when its process ends in good order.
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
            Err(source) => return Err(failed(source)),
        };
        // A shared lock, so that two processes that look at once do not take each other for the owner.
        match file.try_lock_shared() {
            Ok(()) => Ok(false),
            Err(TryLockError::WouldBlock) => Ok(true),
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }
}

fn is_older_than_an_hour(path: &Path) -> bool {
    let written = fs::metadata(path).and_then(|metadata| metadata.modified());
    let age = written.ok().and_then(|written| written.elapsed().ok());
    age.is_some_and(|age| age > Duration::from_secs(3_600))
}

impl ProcessLock {
    /// Returns the id of the process as the owner of runs.
    pub fn owner(&self) -> &OwnerId {
        &self.owner
    }
}

impl Drop for ProcessLock {
    fn drop(&mut self) {
        // The name is never used again, so a file that cannot be removed does no harm.
        let _ = fs::remove_file(&self.path);
    }
}

/// The outcome of an attempt to take a run over.
#[derive(Debug, Clone, PartialEq)]
pub enum Takeover {
    /// This process owns the run now, and may continue it.
    Taken(Box<Run>),
    /// Another process is executing the run.
    Alive(OwnerId),
    /// The run was not interrupted: it has ended, or has not begun.
    NotInterrupted(RunStatus),
}

/// Takes a run over from a process that has ended. Of several callers, one succeeds.
///
/// # Errors
/// [`HomeError`] when the lock files or the state cannot be read, or the state cannot be written.
pub async fn take_over(
    home: &Home,
    store: &dyn StateStore,
    run: &Run,
    me: &ProcessLock,
    now: DateTime<Utc>,
) -> Result<Takeover, HomeError> {
    if !matches!(run.status, RunStatus::Running | RunStatus::Canceling) {
        return Ok(Takeover::NotInterrupted(run.status));
    }
    let seen = match &run.owner {
        Some(owner) if home.is_alive(&owner.id)? => {
            return Ok(Takeover::Alive(owner.id.clone()));
        }
        Some(owner) => owner.heartbeat_at,
        // A running run without an owner was interrupted before its claim.
        None => now,
    };
    // Only the claim that was read counts as stale: a faster caller has a later heartbeat.
    let stale_before = seen + TimeDelta::nanoseconds(1);
    let claimed_at = now.max(stale_before);
    let claimed = store
        .claim_run(run.id, me.owner().clone(), claimed_at, stale_before)
        .await?;
    let current = claimed.run();
    // A refused claim means that another process was faster.
    Ok(match &current.owner {
        _ if claimed.is_changed() => Takeover::Taken(Box::new(current.clone())),
        Some(owner) => Takeover::Alive(owner.id.clone()),
        None => Takeover::NotInterrupted(current.status),
    })
}
