//! [`Finding`].

use std::fmt;

/// What a check looks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// The template is YAML with resources.
    Template,
    /// The file of a state machine is there.
    MissingDefinition,
    /// The file of a state machine is JSON once its placeholders are filled in.
    Definition,
    /// Something stands for every placeholder.
    MissingSubstitution,
    /// Every substitution is used.
    UnusedSubstitution,
    /// A state machine's role allows what it calls.
    NotAllowed,
    /// A schedule is one that AWS reads.
    Schedule,
    /// A time zone is one that there is.
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

/// Something that is wrong in a generated file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What was looked for.
    pub rule: Rule,
    /// The file.
    pub file: String,
    /// Where in it, as a path; empty for the whole file.
    pub place: String,
    /// What is wrong, and what to write instead.
    pub message: String,
}

impl Finding {
    pub(super) fn new(
        rule: Rule,
        file: &str,
        place: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            rule,
            file: file.to_owned(),
            place: place.into(),
            message: message.into(),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            rule,
            file,
            place,
            message,
        } = self;
        write!(f, "{file}: ")?;
        if !place.is_empty() {
            write!(f, "{place}: ")?;
        }
        write!(f, "{message} [{rule}]")
    }
}
