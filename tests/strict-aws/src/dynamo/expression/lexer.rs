//! The tokens of expressions.

use super::Kind;
use crate::dynamo::error::Failure;

/// A token.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    /// A name or a keyword.
    Word(String),
    /// A placeholder of a name, such as `#n`.
    Name(String),
    /// A placeholder of a value, such as `:v`.
    Value(String),
    /// The index of an element of a list.
    Index(usize),
    /// `(`, `)`, `[`, `]`, `,`, `.`, `+`, `-` or a comparator.
    Sign(&'static str),
}

const SIGNS: [&str; 14] = [
    "<>", "<=", ">=", "<", ">", "=", "(", ")", "[", "]", ",", ".", "+", "-",
];

fn is_part_of_name(sign: char) -> bool {
    sign.is_ascii_alphanumeric() || sign == '_'
}

/// Divides an expression into tokens.
pub(super) fn tokens(kind: Kind, text: &str) -> Result<Vec<Token>, Failure> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let sign = SIGNS.iter().find(|sign| rest.starts_with(**sign));
        let length = |text: &str| {
            text.find(|sign| !is_part_of_name(sign))
                .unwrap_or(text.len())
        };
        let taken = if let Some(sign) = sign {
            tokens.push(Token::Sign(sign));
            sign.len()
        } else if first == '#' || first == ':' {
            let end = 1 + length(&rest[1..]);
            let name = rest[..end].to_owned();
            tokens.push(if first == '#' {
                Token::Name(name)
            } else {
                Token::Value(name)
            });
            end
        } else if first.is_ascii_digit() {
            let end = length(rest);
            let index = rest[..end].parse();
            tokens.push(Token::Index(index.map_err(|_| syntax_error(kind, rest))?));
            end
        } else if first.is_ascii_alphabetic() {
            let end = length(rest);
            tokens.push(Token::Word(rest[..end].to_owned()));
            end
        } else {
            return Err(syntax_error(kind, rest));
        };
        rest = rest[taken..].trim_start();
    }
    Ok(tokens)
}

/// Returns the error for text that is no expression.
pub(super) fn syntax_error(kind: Kind, near: &str) -> Failure {
    let near: String = near.chars().take(20).collect();
    kind.failure(format!("Syntax error; near: \"{near}\""))
}
