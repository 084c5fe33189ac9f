//! [`Finding`].

use std::fmt;

/// The rules of [`check_files`](super::check_files).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// The template is YAML with resources.
    Template,
    /// The file of a state machine exists.
    MissingDefinition,
    /// The file of a state machine is JSON once its placeholders are filled in.
    Definition,
    /// Every placeholder has a value.
    MissingSubstitution,
    /// Every substitution is used.
    UnusedSubstitution,
    /// A state machine's role allows its calls.
    NotAllowed,
    /// A schedule is valid for AWS.
    Schedule,
    /// A time zone exists.
    TimeZone,
    /// An event pattern can match an event.
    EventPattern,
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Template => "template",
            Self::MissingDefinition => "missing-definition",
            Self::Definition => "definition",
            Self::MissingSubstitution => "missing-substitution",
            Self::UnusedSubstitution => "unused-substitution",
            Self::NotAllowed => "not-allowed",
            Self::Schedule => "schedule",
            Self::TimeZone => "time-zone",
            Self::EventPattern => "event-pattern",
        })
    }
}

/// A mistake in a generated file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule that is broken.
    pub rule: Rule,
    /// The file.
    pub file: String,
    /// The location in the file, as a path; empty for the whole file.
    pub location: String,
    /// The mistake, and what to write instead.
    pub message: String,
}

impl Finding {
    pub(super) fn new(
        rule: Rule,
        file: &str,
        location: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            rule,
            file: file.to_owned(),
            location: location.into(),
            message: message.into(),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            rule,
            file,
            location,
            message,
        } = self;
        write!(f, "{file}: ")?;
        if !location.is_empty() {
            write!(f, "{location}: ")?;
        }
        write!(f, "{message} [{rule}]")
    }
}
