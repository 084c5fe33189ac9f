//! Who executes a run on this machine, and whether it is still alive.
//!
//! A process holds an operating system's lock on a file named after it. The system lets the lock go
//! when the process ends, however it ends: a run whose owner's file is not locked was interrupted.

use std::{
    fs::{self, File, TryLockError},
    path::PathBuf,
};

use chrono::{DateTime, TimeDelta, Utc};
use precip_engine::state::{OwnerId, Run, RunStatus, StateStore};

use super::{Home, HomeError};

/// This process's claim to be alive: it holds as long as the value lives, and no longer than the
/// process.
#[derive(Debug)]
pub struct ProcessLock {
    owner: OwnerId,
    path: PathBuf,
    // Held open: closing it lets the lock go.
    _file: File,
}

impl Home {
    fn lock_path(&self, owner: &OwnerId) -> PathBuf {
        // The id may come from a store that somebody else wrote: it does not leave the folder.
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        let name: String = owner.0.chars().filter(|c| plain(*c)).collect();
        self.locks().join(format!("{name}.lock"))
    }

    /// Announces a process. `owner` is an id that nobody had or will have, such as a new ULID.
    ///
    /// # Errors
    /// [`HomeError`] when the home cannot be made, or its disk knows no locks.
    pub fn lock_process(&self, owner: OwnerId) -> Result<ProcessLock, HomeError> {
        self.create()?;
        let path = self.lock_path(&owner);
        let failed = |source| HomeError::Lock {
            path: path.clone(),
            source,
        };
        let file = File::create(&path).map_err(failed)?;
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

    /// Whether a process that announced itself is still alive.
    ///
    /// # Errors
    /// [`HomeError`] when its lock file cannot be looked at.
    pub fn is_alive(&self, owner: &OwnerId) -> Result<bool, HomeError> {
        let path = self.lock_path(owner);
        let failed = |source| HomeError::Lock {
            path: path.clone(),
            source,
        };
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
            Err(source) => return Err(failed(source)),
        };
        match file.try_lock_shared() {
            Ok(()) => Ok(false),
            Err(TryLockError::WouldBlock) => Ok(true),
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }
}

impl ProcessLock {
    /// The process, as the owner of runs.
    pub fn owner(&self) -> &OwnerId {
        &self.owner
    }
}

impl Drop for ProcessLock {
    fn drop(&mut self) {
        // Nobody else ever locks this name, so a file that stays behind does no harm.
        let _ = fs::remove_file(&self.path);
    }
}

/// What became of the attempt to take a run over.
#[derive(Debug, Clone, PartialEq)]
pub enum Takeover {
    /// The run is ours now: go on with it.
    Taken(Box<Run>),
    /// Another process is at work on it.
    Alive(OwnerId),
    /// There is nothing to take over: it is finished, or not begun.
    NotInterrupted(RunStatus),
}

/// Takes a run over from a process that is gone. Of several that try, one gets it.
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
        None => now,
    };
    // Only the claim that was seen is stale: whoever was faster has a later heartbeat.
    let stale_before = seen + TimeDelta::nanoseconds(1);
    let now = now.max(stale_before);
    let claimed = store
        .claim_run(run.id, me.owner().clone(), now, stale_before)
        .await?;
    let current = claimed.run();
    Ok(match &current.owner {
        _ if claimed.is_changed() => Takeover::Taken(Box::new(current.clone())),
        Some(owner) => Takeover::Alive(owner.id.clone()),
        None => Takeover::NotInterrupted(current.status),
    })
}
