//! The one thread that writes: it takes everything that waits into one transaction.
//!
//! A transaction costs the same for one write and for hundreds, so the writes that come in while
//! one transaction is committed make up the next. Each stands in a savepoint of its own: one that
//! is refused takes no other with it.

use std::{sync::mpsc, thread};

use precip_engine::state::{StateError, StateErrorKind};
use rusqlite::Connection;
use tokio::sync::oneshot;

use super::{error::Blame, write::Write};

/// The most writes in one transaction, so that no answer waits for ever behind newcomers.
const MAX_GROUP: usize = 1024;

/// Runs inside the transaction; answers whether to keep what it wrote, and what to call once the
/// transaction's fate is known. Given an error it only answers that.
type Job = Box<dyn FnOnce(Result<&Connection, StateError>, &Blame) -> (bool, Answer) + Send>;
type Answer = Box<dyn FnOnce(Result<(), StateError>) + Send>;

#[derive(Debug, Clone)]
pub(super) struct Writer(mpsc::Sender<Job>);

impl Writer {
    /// Starts the thread. It ends, and closes the connection, when the last `Writer` is dropped.
    pub(super) fn start(mut connection: Connection, blame: Blame) -> std::io::Result<Self> {
        let (sender, jobs) = mpsc::channel::<Job>();
        thread::Builder::new()
            .name("precip-state".to_owned())
            .spawn(move || {
                while let Ok(first) = jobs.recv() {
                    let group = std::iter::once(first)
                        .chain(jobs.try_iter().take(MAX_GROUP - 1))
                        .collect();
                    commit(&mut connection, &blame, group);
                }
            })?;
        Ok(Self(sender))
    }

    /// Does a piece of writing and waits until it is committed.
    pub(super) async fn write<T, F>(&self, work: F) -> Result<T, StateError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Write<'_>) -> Result<T, StateError> + Send + 'static,
    {
        let (sender, receiver) = oneshot::channel();
        let job: Job = Box::new(move |connection, blame| {
            let done = connection.and_then(|connection| {
                let mut write = Write::new(connection, blame);
                let value = work(&mut write)?;
                write.flush()?;
                Ok(value)
            });
            let keep = done.is_ok();
            let answer: Answer = Box::new(move |committed| {
                // Nobody listens when the caller was canceled; the write stands all the same.
                let _ = sender.send(done.and_then(|value| committed.map(|()| value)));
            });
            (keep, answer)
        });
        self.0.send(job).map_err(|_| stopped())?;
        receiver.await.map_err(|_| stopped())?
    }
}

fn stopped() -> StateError {
    StateError::new(
        StateErrorKind::Unavailable,
        "the thread that writes the state has stopped: start the command again",
    )
}

fn commit(connection: &mut Connection, blame: &Blame, group: Vec<Job>) {
    let mut answers = Vec::with_capacity(group.len());
    let mut state = blame.of(connection.execute_batch("BEGIN IMMEDIATE"));
    for job in group {
        state = state.and_then(|()| blame.of(connection.execute_batch("SAVEPOINT job")));
        let (keep, answer) = job(state.clone().map(|()| &*connection), blame);
        answers.push(answer);
        state = state.and_then(|()| end_job(connection, blame, keep));
    }
    state = state.and_then(|()| blame.of(connection.execute_batch("COMMIT")));
    if state.is_err() && !connection.is_autocommit() {
        // If even this fails the connection is of no use, and the next BEGIN says so.
        let _ = connection.execute_batch("ROLLBACK");
    }
    for answer in answers {
        answer(state.clone());
    }
}

fn end_job(connection: &Connection, blame: &Blame, keep: bool) -> Result<(), StateError> {
    if connection.is_autocommit() {
        // SQLite gave the whole transaction up (the disk is full, as a rule): the write that found
        // out has its own error already, and the others in the group may try again.
        return Err(StateError::new(
            StateErrorKind::Retry,
            "the transaction was given up because another write in it failed: try again",
        ));
    }
    let end = if keep {
        "RELEASE job"
    } else {
        "ROLLBACK TO job; RELEASE job"
    };
    blame.of(connection.execute_batch(end))
}
