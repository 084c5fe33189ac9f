//! The parser of selections.
//!
//! ```text
//! or     = and (OR and)*
//! and    = unary (AND unary)*
//! unary  = NOT unary | '*' | [[DIGITS] '+'] term ['+' [DIGITS]]
//! term   = '(' or ')' | ('roots' | 'sinks') '(' or ')' | ATTRIBUTE ':' value
//! ```

use std::ops::Range;

use crate::selection::{
    InvalidSelection, InvalidSelectionKind,
    attribute::{self, Attribute},
    expr::{Depth, Expr, Origin},
    lexer::{Spanned, Token, split_tokens},
};

/// The maximum nesting of parentheses, functions and negations.
const MAX_DEPTH: usize = 192;

const SELECTION: &str = "a selection, such as `key:a`, `group:b`, `roots(...)` or `(...)`";

const KEY: &str = "a key, quoted if it is more than letters, digits, `_`, `/` and `*`";

const VALUE: &str = "a value, quoted if it is more than letters, digits, `_` and `/`";

/// Parses a whole text as an expression. An error includes a corrected selection, if there is one.
pub(super) fn parse_expr(text: &str) -> Result<Expr, InvalidSelection> {
    parse_plainly(text).map_err(InvalidSelection::with_correction)
}

/// Parses a whole text as an expression, without computing a correction.
pub(super) fn parse_plainly(text: &str) -> Result<Expr, InvalidSelection> {
    let mut parser = Parser {
        text,
        tokens: split_tokens(text),
        at: 0,
        depth: 0,
        unsupported: None,
    };
    let expr = parser.parse_whole()?;
    match parser.unsupported {
        Some(invalid) => Err(invalid),
        None => Ok(expr),
    }
}

/// A recursive-descent parser over the tokens of a text.
struct Parser<'a> {
    text: &'a str,
    tokens: Vec<Spanned<'a>>,
    at: usize,
    depth: usize,
    /// The error of the first unsupported attribute. The rest is parsed nevertheless, because text
    /// that is not an expression may be of another form.
    unsupported: Option<InvalidSelection>,
}

type Parsed<T> = Result<T, InvalidSelection>;

impl<'a> Parser<'a> {
    fn parse_whole(&mut self) -> Parsed<Expr> {
        if self.tokens.is_empty() {
            return Err(self.invalid_at(0..self.text.len(), InvalidSelectionKind::Empty));
        }
        let expr = self.parse_or()?;
        match self.peek(0) {
            None => Ok(expr),
            Some(_) => Err(self.unexpected_token("`and`, `or` or the end")),
        }
    }

    fn parse_or(&mut self) -> Parsed<Expr> {
        let mut any = vec![self.parse_and()?];
        while self.take_token(Token::Or) {
            any.push(self.parse_and()?);
        }
        Ok(one_or(any, Expr::Or))
    }

    fn parse_and(&mut self) -> Parsed<Expr> {
        let mut all = vec![self.parse_unary()?];
        while self.take_token(Token::And) {
            all.push(self.parse_unary()?);
        }
        Ok(one_or(all, Expr::And))
    }

    fn parse_unary(&mut self) -> Parsed<Expr> {
        // Bounds the recursion, since every level of nesting passes here.
        if self.depth == MAX_DEPTH {
            let kind = InvalidSelectionKind::TooDeep { limit: MAX_DEPTH };
            return Err(self.invalid_at(self.next_span(), kind));
        }
        self.depth += 1;
        let expr = if self.take_token(Token::Not) {
            Expr::Not(Box::new(self.parse_unary()?))
        } else if self.take_token(Token::Star) {
            Expr::All
        } else {
            self.parse_traversal()?
        };
        self.depth -= 1;
        Ok(expr)
    }

    fn parse_traversal(&mut self) -> Parsed<Expr> {
        // `2+x` and `+x` before the term, `x+2` and `x+` after it.
        let up = match (self.peek(0), self.peek(1)) {
            (Some(Token::Digits(digits)), Some(Token::Plus)) => {
                self.at += 2;
                Some(parse_depth(digits))
            }
            (Some(Token::Plus), _) => {
                self.at += 1;
                Some(Depth::All)
            }
            _ => None,
        };
        let start = self.parse_term()?;
        let down = self.take_token(Token::Plus).then(|| match self.peek(0) {
            Some(Token::Digits(digits)) => {
                self.at += 1;
                parse_depth(digits)
            }
            _ => Depth::All,
        });
        if up.is_none() && down.is_none() {
            return Ok(start);
        }
        Ok(Expr::Traverse {
            start: Box::new(start),
            up,
            down,
        })
    }

    fn parse_term(&mut self) -> Parsed<Expr> {
        match (self.peek(0), self.peek(1)) {
            (Some(Token::Open), _) => self.parse_parenthesized(),
            (Some(Token::Word("roots")), Some(Token::Open)) => {
                self.at += 1;
                Ok(Expr::Roots(Box::new(self.parse_parenthesized()?)))
            }
            (Some(Token::Word("sinks")), Some(Token::Open)) => {
                self.at += 1;
                Ok(Expr::Sinks(Box::new(self.parse_parenthesized()?)))
            }
            (Some(Token::Word(name)), Some(Token::Colon)) => self.parse_attribute(name),
            // A word without a `:` looks like a key, which gets advice of its own.
            (Some(Token::Word(_) | Token::Wildcard(_) | Token::Quoted(_)), _) => {
                Err(self.invalid_at(self.next_span(), InvalidSelectionKind::BareKey))
            }
            _ => Err(self.unexpected_token(SELECTION)),
        }
    }

    fn parse_parenthesized(&mut self) -> Parsed<Expr> {
        let open = self.next_span();
        self.at += 1;
        let inside = self.parse_or()?;
        if self.take_token(Token::Close) {
            return Ok(inside);
        }
        match self.peek(0) {
            None => Err(self.invalid_at(open, InvalidSelectionKind::UnclosedParenthesis)),
            Some(_) => Err(self.unexpected_token("`and`, `or` or `)`")),
        }
    }

    fn parse_attribute(&mut self, name: &str) -> Parsed<Expr> {
        let span = self.next_span();
        let Some(attribute) = Attribute::from_name(name) else {
            let kind = InvalidSelectionKind::UnknownAttribute {
                name: name.to_owned(),
            };
            return Err(self.invalid_at(span, kind));
        };
        // A key takes wildcards without quotes; other attributes do not.
        self.at += 2;
        if attribute == Attribute::Key {
            return Ok(Expr::Key(self.parse_key()?));
        }
        let value_span = self.next_span();
        let value = self.parse_value()?;
        match attribute {
            Attribute::Key => Ok(Expr::Key(value.unwrap_or_default())),
            Attribute::Group => Ok(Expr::Group(value)),
            Attribute::Owner => Ok(Expr::Owner(value)),
            Attribute::Kind => Ok(Expr::Kind(value)),
            Attribute::Partitions => Ok(Expr::Partitions(value)),
            Attribute::Tag => {
                let given = self.parse_equal_value()?;
                let key = value
                    .ok_or_else(|| self.invalid_value(value_span, "tag", "the key of a tag"))?;
                Ok(Expr::Tag {
                    key,
                    value: given.unwrap_or_default(),
                })
            }
            Attribute::Is => match value.as_deref() {
                Some("external") => Ok(Expr::Is(Origin::External)),
                Some("materializable") => Ok(Expr::Is(Origin::Materializable)),
                _ => Err(self.invalid_value(value_span, "is", "`external` or `materializable`")),
            },
            Attribute::Unsupported {
                name: attribute,
                instead,
            } => {
                // Parse on, and report the first unsupported attribute at the end.
                if attribute == "column_tag" {
                    self.parse_equal_value()?;
                }
                let kind = InvalidSelectionKind::Unsupported { attribute, instead };
                let invalid = self.invalid_at(span.start..self.last_end(), kind);
                self.unsupported.get_or_insert(invalid);
                Ok(Expr::All)
            }
        }
    }

    fn parse_key(&mut self) -> Parsed<String> {
        let value = match self.peek(0) {
            Some(Token::Quoted(value) | Token::Wildcard(value)) => value,
            Some(Token::Word(value)) if !attribute::is_reserved(value) => value,
            _ => return Err(self.unexpected_token(KEY)),
        };
        self.at += 1;
        Ok(value.to_owned())
    }

    /// Parses a value; `None` is `<null>`.
    fn parse_value(&mut self) -> Parsed<Option<String>> {
        let value = match self.peek(0) {
            Some(Token::Null) => None,
            Some(Token::Quoted(value)) => Some(value),
            Some(Token::Word(value)) if !attribute::is_reserved_as_value(value) => Some(value),
            _ => return Err(self.unexpected_token(VALUE)),
        };
        self.at += 1;
        Ok(value.map(str::to_owned))
    }

    fn parse_equal_value(&mut self) -> Parsed<Option<String>> {
        if self.take_token(Token::Equal) {
            self.parse_value()
        } else {
            Ok(None)
        }
    }

    fn peek(&self, ahead: usize) -> Option<Token<'a>> {
        self.tokens.get(self.at + ahead).map(|found| found.token)
    }

    fn take_token(&mut self, wanted: Token<'_>) -> bool {
        let found = self.peek(0) == Some(wanted);
        self.at += usize::from(found);
        found
    }

    /// Returns the byte range of the next token, which is empty after the last.
    fn next_span(&self) -> Range<usize> {
        let end = || self.last_end()..self.last_end();
        self.tokens
            .get(self.at)
            .map_or_else(end, |found| found.span.clone())
    }

    /// Returns the end of the previous token in bytes.
    fn last_end(&self) -> usize {
        let last = self
            .at
            .checked_sub(1)
            .and_then(|last| self.tokens.get(last));
        last.map_or(0, |found| found.span.end)
    }

    fn describe_found(&self, span: &Range<usize>) -> String {
        match &self.text[span.clone()] {
            "" => "the end".to_owned(),
            found => format!("`{found}`"),
        }
    }

    fn unexpected_token(&self, expected: &'static str) -> InvalidSelection {
        let span = self.next_span();
        if self.peek(0) == Some(Token::OpenQuote) {
            return self.invalid_at(span, InvalidSelectionKind::UnclosedQuote);
        }
        let found = self.describe_found(&span);
        self.invalid_at(span, InvalidSelectionKind::Expected { expected, found })
    }

    fn invalid_value(
        &self,
        span: Range<usize>,
        attribute: &'static str,
        takes: &'static str,
    ) -> InvalidSelection {
        let found = self.describe_found(&span);
        self.invalid_at(
            span,
            InvalidSelectionKind::InvalidValue {
                attribute,
                takes,
                found,
            },
        )
    }

    fn invalid_at(&self, span: Range<usize>, kind: InvalidSelectionKind) -> InvalidSelection {
        InvalidSelection::new(self.text, span, kind)
    }
}

/// Parses a depth; a number too large for a `u32` is unlimited.
fn parse_depth(digits: &str) -> Depth {
    digits.parse().map_or(Depth::All, Depth::Edges)
}

/// Returns the only part, or combines several.
fn one_or(mut parts: Vec<Expr>, several: fn(Vec<Expr>) -> Expr) -> Expr {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        Some(last) => {
            parts.push(last);
            several(parts)
        }
        None => several(parts),
    }
}
