//! The writing thread: it commits all waiting writes in one transaction.
//!
//! A transaction costs the same for one write as for hundreds, so the writes that arrive while one
//! transaction is committed form the next. Each has a savepoint of its own, so a refused write does not
//! undo the others.

use std::{sync::mpsc, thread};

use precip_engine::state::{StateError, StateErrorKind};
use rusqlite::Connection;
use tokio::sync::oneshot;

use super::{error::ErrorMapper, write::Write};

/// The most writes in one transaction, so that an answer is not delayed by ever more newcomers.
const MAX_GROUP: usize = 1024;

/// A write to run inside the transaction. Returns whether to keep its changes, and the callback for the
/// outcome of the transaction. Given an error instead of a connection, it only passes that on.
type Job = Box<dyn FnOnce(Result<&Connection, StateError>, &ErrorMapper) -> (bool, Answer) + Send>;
/// A callback for the outcome of the transaction.
type Answer = Box<dyn FnOnce(Result<(), StateError>) + Send>;

/// A handle of the writing thread.
#[derive(Debug, Clone)]
pub(super) struct Writer(mpsc::Sender<Job>);

impl Writer {
    /// Starts the thread. It ends, and closes the connection, when the last `Writer` is dropped.
    pub(super) fn spawn_thread(
        mut connection: Connection,
        errors: ErrorMapper,
    ) -> std::io::Result<Self> {
        let (sender, jobs) = mpsc::channel::<Job>();
        thread::Builder::new()
            .name("precip-state".to_owned())
            .spawn(move || {
                while let Ok(first) = jobs.recv() {
                    // Waits for one job, then takes those that have gathered without waiting for more.
                    let group = std::iter::once(first)
                        .chain(jobs.try_iter().take(MAX_GROUP - 1))
                        .collect();
                    commit_group(&mut connection, &errors, group);
                }
            })?;
        Ok(Self(sender))
    }

    /// Runs `work` in a transaction, and waits until it is committed.
    pub(super) async fn run_write<T, F>(&self, work: F) -> Result<T, StateError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Write<'_>) -> Result<T, StateError> + Send + 'static,
    {
        let (sender, receiver) = oneshot::channel();
        let job: Job = Box::new(move |connection, errors| {
            let done = connection.and_then(|connection| {
                // The value is held back until the commit: a reader must see what was reported.
                let mut write = Write::new(connection, errors);
                let value = work(&mut write)?;
                write.flush_changes()?;
                Ok(value)
            });
            let keep = done.is_ok();
            let answer: Answer = Box::new(move |committed| {
                // Sending fails if the caller was canceled; the write is kept all the same.
                let _ = sender.send(done.and_then(|value| committed.map(|()| value)));
            });
            (keep, answer)
        });
        self.0.send(job).map_err(|_| writer_stopped())?;
        receiver.await.map_err(|_| writer_stopped())?
    }
}

fn writer_stopped() -> StateError {
    StateError::new(
        StateErrorKind::Unavailable,
        "the thread that writes the state has stopped: run the command again",
    )
}

/// Runs jobs in one transaction, and gives each its outcome after the commit.
fn commit_group(connection: &mut Connection, errors: &ErrorMapper, group: Vec<Job>) {
    let mut answers = Vec::with_capacity(group.len());
    // The first error of the transaction itself reaches every later job, and every answer.
    let mut state = errors.map_result(connection.execute_batch("BEGIN IMMEDIATE"));
    for job in group {
        // The savepoint undoes a refused job without touching the others.
        state = state.and_then(|()| errors.map_result(connection.execute_batch("SAVEPOINT job")));
        let (keep, answer) = job(state.clone().map(|()| &*connection), errors);
        answers.push(answer);
        state = state.and_then(|()| end_job(connection, errors, keep));
    }
    state = state.and_then(|()| errors.map_result(connection.execute_batch("COMMIT")));
    if state.is_err() && !connection.is_autocommit() {
        // If even this fails, the connection is unusable, and the next BEGIN reports it.
        let _ = connection.execute_batch("ROLLBACK");
    }
    for answer in answers {
        answer(state.clone());
    }
}

/// Ends the savepoint of a job.
fn end_job(connection: &Connection, errors: &ErrorMapper, keep: bool) -> Result<(), StateError> {
    if connection.is_autocommit() {
        // SQLite has rolled back the whole transaction, usually because the disk is full. The write
        // that caused it has its own error already; the others in the group may be repeated.
        return Err(StateError::new(
            StateErrorKind::Retry,
            "the transaction was rolled back because another write in it failed: try again",
        ));
    }
    let end = if keep {
        "RELEASE job"
    } else {
        "ROLLBACK TO job; RELEASE job"
    };
    errors.map_result(connection.execute_batch(end))
}
