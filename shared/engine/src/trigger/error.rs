//! [`TriggerError`].

use precip_core::trigger::InvalidTrigger;

use crate::state::{StateError, StateErrorKind};

/// An error of an evaluation. No event is lost: the evaluation may be invoked again.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TriggerError {
    /// The trigger does not fit the project.
    #[error(transparent)]
    Invalid(#[from] InvalidTrigger),
    /// The state store cannot be read or written.
    #[error(transparent)]
    State(#[from] StateError),
    /// A requested run cannot be launched now.
    #[error("run {run} was requested and cannot be launched: {message}")]
    Launch {
        /// The run.
        run: crate::run_id::RunId,
        /// The reason.
        message: String,
    },
    /// The objects of a bucket cannot be listed.
    #[error("the objects of `{bucket}` cannot be listed: {message}")]
    Listing {
        /// The bucket.
        bucket: String,
        /// The reason.
        message: String,
    },
    /// The recorded cursor cannot be read.
    #[error(
        "the cursor of {trigger} cannot be read ({problem}): `reset-cursor` makes it start again"
    )]
    Cursor {
        /// The trigger.
        trigger: String,
        /// The reason.
        problem: String,
    },
    /// Concurrent evaluations advanced the trigger at every attempt.
    #[error("{trigger} has too many concurrent evaluations: invoke it again")]
    Contended {
        /// The trigger.
        trigger: String,
    },
    /// Changes of freshness cannot be published now.
    #[error("changes of freshness cannot be published: {message}")]
    Raise {
        /// The reason.
        message: String,
    },
    /// The automation conditions cannot be evaluated.
    #[error(transparent)]
    Automation(#[from] crate::automation::AutomationError),
}

impl TriggerError {
    /// Returns whether invoking the evaluation again may help without any other change.
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
