//! Runs that a deployment carries out: starting them, following them, trying again.

mod begin;
mod begun;
mod failure;
mod follow;
mod retry;
mod run_key;
mod settle;

pub(super) use begin::{Begin, begin};
pub(crate) use begun::begun;
pub(crate) use failure::{not_reached, refused};
pub(super) use retry::retry;
pub(super) use run_key::materialize_once;
pub(crate) use settle::{Settled, settle};

use crate::{args::RunControlArgs, failure::Failure, session::Session};

/// Refuses what only a run of this machine can be told.
///
/// # Errors
/// [`Failure`], which says what decides it there.
pub(super) fn check(session: &Session, control: &RunControlArgs) -> Result<(), Failure> {
    if control.concurrency.is_some() {
        return Err(
            Failure::usage("`--concurrency` is for runs on this machine").help(
                "on AWS the stack's parameter MaxConcurrency says how much runs at once: leave \
                 `--concurrency` out",
            ),
        );
    }
    if session.pretended {
        return Err(Failure::usage(
            "a run on AWS is planned at the moment it starts, and no other",
        )
        .help(
            "leave `--now` out (or unset PRECIP_NOW); `plan --on aws` shows the plan of any \
                 moment",
        ));
    }
    Ok(())
}
