//! The lexer of selections.

use std::ops::Range;

/// One word or sign of a selection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token<'a> {
    And,
    Or,
    Not,
    Star,
    Plus,
    Equal,
    Colon,
    Open,
    Close,
    /// Decimal digits.
    Digits(&'a str),
    /// Letters, digits, `_` and `/`, with a letter or `_` first.
    Word(&'a str),
    /// A word that contains `*` and more.
    Wildcard(&'a str),
    /// The content between two double quotes.
    Quoted(&'a str),
    /// A double quote that is not closed, or closed after a `\` or a line break.
    OpenQuote,
    /// `<null>`.
    Null,
    /// A character that begins no token.
    Unknown(char),
}

/// A token and its byte range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Spanned<'a> {
    pub(super) token: Token<'a>,
    pub(super) span: Range<usize>,
}

/// Splits the text into tokens. This never fails: other characters become [`Token::Unknown`].
pub(super) fn split_tokens(text: &str) -> Vec<Spanned<'_>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        if matches!(first, ' ' | '\t' | '\r' | '\n') {
            at += 1;
            continue;
        }
        // Every token has at least one character, so the loop ends.
        let (token, length) = next_token(&text[at..], first);
        found.push(Spanned {
            token,
            span: at..at + length,
        });
        at += length;
    }
    found
}

fn next_token(rest: &str, first: char) -> (Token<'_>, usize) {
    let sign = |token| (token, first.len_utf8());
    match first {
        '+' => sign(Token::Plus),
        '=' => sign(Token::Equal),
        ':' => sign(Token::Colon),
        '(' => sign(Token::Open),
        ')' => sign(Token::Close),
        '"' => lex_quoted(rest),
        '<' if rest.starts_with("<null>") => (Token::Null, "<null>".len()),
        '0'..='9' => {
            let digits = take_prefix(rest, |c| c.is_ascii_digit());
            (Token::Digits(digits), digits.len())
        }
        '*' | '_' | 'a'..='z' | 'A'..='Z' => lex_word(rest),
        _ => sign(Token::Unknown(first)),
    }
}

fn lex_word(rest: &str) -> (Token<'_>, usize) {
    let word = take_prefix(rest, |c| {
        c.is_ascii_alphanumeric() || matches!(c, '*' | '_' | '/')
    });
    let token = match word {
        "*" => Token::Star,
        "and" | "AND" => Token::And,
        "or" | "OR" => Token::Or,
        "not" | "NOT" => Token::Not,
        _ if word.contains('*') => Token::Wildcard(word),
        _ => Token::Word(word),
    };
    (token, word.len())
}

fn lex_quoted(rest: &str) -> (Token<'_>, usize) {
    // Dagster's strings have no escapes: a `\` or a line break ends the attempt.
    let inside = take_prefix(&rest[1..], |c| !matches!(c, '"' | '\\' | '\r' | '\n'));
    if rest[1 + inside.len()..].starts_with('"') {
        (Token::Quoted(inside), inside.len() + 2)
    } else {
        (Token::OpenQuote, 1)
    }
}

/// Returns the longest prefix of matching characters.
fn take_prefix(text: &str, of: impl Fn(char) -> bool) -> &str {
    text.split_once(|c| !of(c))
        .map_or(text, |(before, _)| before)
}
