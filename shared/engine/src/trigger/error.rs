//! Evaluations that came to nothing.

use precip_core::trigger::InvalidTrigger;

use crate::state::{StateError, StateErrorKind};

/// Why an evaluation came to nothing. Nothing is lost: whoever invoked it may do so again.
#[derive(Debug, thiserror::Error)]
pub enum TriggerError {
    /// The trigger does not fit the project.
    #[error(transparent)]
    Invalid(#[from] InvalidTrigger),
    /// The record cannot be read or written.
    #[error(transparent)]
    State(#[from] StateError),
    /// A run that was requested cannot be launched now.
    #[error("run {run} was requested and cannot be launched: {message}")]
    Launch {
        /// The run.
        run: crate::run_id::RunId,
        /// Why not.
        message: String,
    },
    /// The objects of a bucket cannot be listed.
    #[error("the objects of `{bucket}` cannot be listed: {message}")]
    Listing {
        /// The bucket.
        bucket: String,
        /// Why not.
        message: String,
    },
    /// The cursor on record is not one of this trigger.
    #[error(
        "the cursor of {trigger} cannot be read ({problem}): `reset-cursor` lets it begin anew"
    )]
    Cursor {
        /// The trigger.
        trigger: String,
        /// Why not.
        problem: String,
    },
    /// Others advanced the trigger each time.
    #[error("{trigger} is evaluated by too many at once: invoke it again")]
    Contended {
        /// The trigger.
        trigger: String,
    },
    /// Changes of freshness cannot be raised now.
    #[error("changes of freshness cannot be raised: {message}")]
    Raise {
        /// Why not.
        message: String,
    },
    /// The automation conditions cannot be evaluated.
    #[error(transparent)]
    Automation(#[from] crate::automation::AutomationError),
}

impl TriggerError {
    /// Whether invoking it again may help without anybody doing something.
    pub fn is_passing(&self) -> bool {
        use crate::automation::AutomationError as A;
        match self {
            Self::State(error) | Self::Automation(A::State(error)) => {
                // A store that cannot be reached is most often back soon.
                error.kind().is_retryable() || error.kind() == StateErrorKind::Unavailable
            }
            Self::Launch { .. }
            | Self::Listing { .. }
            | Self::Contended { .. }
            | Self::Raise { .. } => true,
            Self::Invalid(_) | Self::Cursor { .. } | Self::Automation(_) => false,
        }
    }
}
