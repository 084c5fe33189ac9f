//! Owners of runs on this machine: which process executes a run, and if it is still alive.
//!
//! A process holds an operating system's lock on a file named after it. The system releases the lock
//! when the process ends, however it ends: a run whose owner's file is not locked was interrupted.

use std::{
    fs::{self, File, TryLockError},
    path::PathBuf,
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

    /// Takes the lock of this process. `owner` is a unique id, such as a new ULID.
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
        let file = create_private_file(&path).map_err(failed)?;
        // The lock belongs to the open file, so a second open of the name conflicts even in one process.
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::Error(source)) => return Err(failed(source)),
            Err(TryLockError::WouldBlock) => {
                return Err(failed(std::io::ErrorKind::AlreadyExists.into()));
            }
        }
        Ok(ProcessLock {
            owner,
            path,
            _file: file,
        })
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
