//! Options that a run on a deployment does not have.

use crate::{args::RunControlArgs, failure::Failure, session::Session};

/// Refuses options that apply to runs on this machine only.
///
/// # Errors
/// [`Failure`] that names what decides it on AWS.
pub(in crate::launch) fn refuse_local_options(
    session: &Session,
    control: &RunControlArgs,
) -> Result<(), Failure> {
    if control.concurrency.is_some() {
        return Err(
            Failure::usage("`--concurrency` is for runs on this machine").with_help(
                "on AWS the stack's parameter MaxConcurrency limits what runs at once: leave \
                 `--concurrency` out",
            ),
        );
    }
    if session.now_overridden {
        return Err(Failure::usage(
            "a run on AWS is planned at the time it starts, and `--now` gives another",
        )
        .with_help(
            "leave `--now` out (or unset PRECIP_NOW); `plan --on aws` shows the plan of any time",
        ));
    }
    Ok(())
}
