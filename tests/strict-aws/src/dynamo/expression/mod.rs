//! Condition, update, key condition, filter and projection expressions: parsed, checked and evaluated.
//!
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.html>

mod condition;
mod key_condition;
mod lexer;
mod parser;
mod path;
mod placeholders;
mod update;

pub(crate) use condition::Condition;
pub(crate) use key_condition::KeyCondition;
pub(crate) use path::Path;
pub(crate) use placeholders::Placeholders;
pub(crate) use update::Update;

#[cfg(test)]
mod tests;

use super::error::Failure;
use parser::Parser;

/// The kinds of expressions, named as in DynamoDB's messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Condition,
    Filter,
    KeyCondition,
    Projection,
    Update,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Condition => "ConditionExpression",
            Self::Filter => "FilterExpression",
            Self::KeyCondition => "KeyConditionExpression",
            Self::Projection => "ProjectionExpression",
            Self::Update => "UpdateExpression",
        }
    }

    fn failure(self, problem: impl std::fmt::Display) -> Failure {
        Failure::validation(format!("Invalid {}: {problem}", self.name()))
    }
}

/// Parses a condition or a filter.
pub(crate) fn parse_condition(
    kind: Kind,
    text: &str,
    placeholders: &Placeholders,
) -> Result<Condition, Failure> {
    let mut parser = Parser::new(kind, text, placeholders)?;
    let condition = parser.condition()?;
    parser.end()?;
    Ok(condition)
}

/// Parses an update.
pub(crate) fn parse_update(text: &str, placeholders: &Placeholders) -> Result<Update, Failure> {
    let mut parser = Parser::new(Kind::Update, text, placeholders)?;
    let update = parser.update()?;
    parser.end()?;
    update.check_paths()?;
    Ok(update)
}

/// Parses the paths of a projection.
pub(crate) fn parse_projection(
    text: &str,
    placeholders: &Placeholders,
) -> Result<Vec<Path>, Failure> {
    let mut parser = Parser::new(Kind::Projection, text, placeholders)?;
    let paths = parser.paths()?;
    parser.end()?;
    path::check_overlaps(Kind::Projection, &paths.iter().collect::<Vec<_>>())?;
    Ok(paths)
}

/// Parses a key condition.
pub(crate) fn parse_key_condition(
    text: &str,
    placeholders: &Placeholders,
) -> Result<KeyCondition, Failure> {
    let condition = parse_condition(Kind::KeyCondition, text, placeholders)?;
    KeyCondition::from_condition(condition)
}
