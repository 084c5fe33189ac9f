//! Tokens to an expression.
//!
//! ```text
//! or     = and (OR and)*
//! and    = unary (AND unary)*
//! unary  = NOT unary | '*' | [[DIGITS] '+'] term ['+' [DIGITS]]
//! term   = '(' or ')' | ('roots' | 'sinks') '(' or ')' | ATTRIBUTE ':' value
//! ```

use std::ops::Range;

use crate::selection::{
    InvalidSelection, SelectionProblem,
    attribute::{self, Attribute},
    expr::{Depth, Expr, Maker},
    lexer::{Spanned, Token, tokens},
};

/// How deep parentheses, functions and negations may stand in each other.
const DEEPEST: usize = 192;

const SELECTION: &str = "a selection, such as `key:a`, `group:b`, `roots(...)` or `(...)`";

const KEY: &str = "a key, quoted if it is more than letters, digits, `_`, `/` and `*`";

const VALUE: &str = "a value, quoted if it is more than letters, digits, `_` and `/`";

/// Reads a whole text as an expression.
pub(super) fn parse(text: &str) -> Result<Expr, InvalidSelection> {
    parse_plainly(text).map_err(InvalidSelection::with_correction)
}

/// As [`parse`], without a proposal of what was meant.
pub(super) fn parse_plainly(text: &str) -> Result<Expr, InvalidSelection> {
    let mut parser = Parser {
        text,
        tokens: tokens(text),
        at: 0,
        depth: 0,
        unsupported: None,
    };
    let expr = parser.whole()?;
    match parser.unsupported {
        Some(refusal) => Err(refusal),
        None => Ok(expr),
    }
}

struct Parser<'a> {
    text: &'a str,
    tokens: Vec<Spanned<'a>>,
    at: usize,
    depth: usize,
    /// The first attribute that cannot be answered. The rest is read all the same, since text that
    /// is no expression may be something else.
    unsupported: Option<InvalidSelection>,
}

type Parsed<T> = Result<T, InvalidSelection>;

impl<'a> Parser<'a> {
    fn whole(&mut self) -> Parsed<Expr> {
        if self.tokens.is_empty() {
            return Err(self.refuse(0..self.text.len(), SelectionProblem::Empty));
        }
        let expr = self.or()?;
        match self.peek(0) {
            None => Ok(expr),
            Some(_) => Err(self.expected("`and`, `or` or the end")),
        }
    }

    fn or(&mut self) -> Parsed<Expr> {
        let mut any = vec![self.and()?];
        while self.take(Token::Or) {
            any.push(self.and()?);
        }
        Ok(one_or(any, Expr::Or))
    }

    fn and(&mut self) -> Parsed<Expr> {
        let mut all = vec![self.unary()?];
        while self.take(Token::And) {
            all.push(self.unary()?);
        }
        Ok(one_or(all, Expr::And))
    }

    fn unary(&mut self) -> Parsed<Expr> {
        if self.depth == DEEPEST {
            let problem = SelectionProblem::TooDeep { limit: DEEPEST };
            return Err(self.refuse(self.span(), problem));
        }
        self.depth += 1;
        let expr = if self.take(Token::Not) {
            Expr::Not(Box::new(self.unary()?))
        } else if self.take(Token::Star) {
            Expr::All
        } else {
            self.traversal()?
        };
        self.depth -= 1;
        Ok(expr)
    }

    fn traversal(&mut self) -> Parsed<Expr> {
        let up = match (self.peek(0), self.peek(1)) {
            (Some(Token::Digits(digits)), Some(Token::Plus)) => {
                self.at += 2;
                Some(edges(digits))
            }
            (Some(Token::Plus), _) => {
                self.at += 1;
                Some(Depth::All)
            }
            _ => None,
        };
        let of = self.term()?;
        let down = self.take(Token::Plus).then(|| match self.peek(0) {
            Some(Token::Digits(digits)) => {
                self.at += 1;
                edges(digits)
            }
            _ => Depth::All,
        });
        if up.is_none() && down.is_none() {
            return Ok(of);
        }
        Ok(Expr::Traverse {
            of: Box::new(of),
            up,
            down,
        })
    }

    fn term(&mut self) -> Parsed<Expr> {
        match (self.peek(0), self.peek(1)) {
            (Some(Token::Open), _) => self.parenthesized(),
            (Some(Token::Word("roots")), Some(Token::Open)) => {
                self.at += 1;
                Ok(Expr::Roots(Box::new(self.parenthesized()?)))
            }
            (Some(Token::Word("sinks")), Some(Token::Open)) => {
                self.at += 1;
                Ok(Expr::Sinks(Box::new(self.parenthesized()?)))
            }
            (Some(Token::Word(name)), Some(Token::Colon)) => self.attribute(name),
            (Some(Token::Word(_) | Token::Wildcard(_) | Token::Quoted(_)), _) => {
                Err(self.refuse(self.span(), SelectionProblem::BareKey))
            }
            _ => Err(self.expected(SELECTION)),
        }
    }

    fn parenthesized(&mut self) -> Parsed<Expr> {
        let open = self.span();
        self.at += 1;
        let inside = self.or()?;
        if self.take(Token::Close) {
            return Ok(inside);
        }
        match self.peek(0) {
            None => Err(self.refuse(open, SelectionProblem::UnclosedParenthesis)),
            Some(_) => Err(self.expected("`and`, `or` or `)`")),
        }
    }

    fn attribute(&mut self, name: &str) -> Parsed<Expr> {
        let span = self.span();
        let Some(attribute) = Attribute::named(name) else {
            let name = name.to_owned();
            return Err(self.refuse(span, SelectionProblem::UnknownAttribute { name }));
        };
        self.at += 2;
        if attribute == Attribute::Key {
            return Ok(Expr::Key(self.key_value()?));
        }
        let value_span = self.span();
        let value = self.value()?;
        match attribute {
            Attribute::Key => Ok(Expr::Key(value.unwrap_or_default())),
            Attribute::Group => Ok(Expr::Group(value)),
            Attribute::Owner => Ok(Expr::Owner(value)),
            Attribute::Kind => Ok(Expr::Kind(value)),
            Attribute::Partitions => Ok(Expr::Partitions(value)),
            Attribute::Tag => {
                let given = self.equal_value()?;
                let key =
                    value.ok_or_else(|| self.invalid(value_span, "tag", "the key of a tag"))?;
                Ok(Expr::Tag {
                    key,
                    value: given.unwrap_or_default(),
                })
            }
            Attribute::Is => match value.as_deref() {
                Some("external") => Ok(Expr::Is(Maker::External)),
                Some("materializable") => Ok(Expr::Is(Maker::Materializable)),
                _ => Err(self.invalid(value_span, "is", "`external` or `materializable`")),
            },
            Attribute::Unsupported {
                name: attribute,
                instead,
            } => {
                if attribute == "column_tag" {
                    self.equal_value()?;
                }
                let problem = SelectionProblem::Unsupported { attribute, instead };
                let refusal = self.refuse(span.start..self.last_end(), problem);
                self.unsupported.get_or_insert(refusal);
                Ok(Expr::All)
            }
        }
    }

    fn key_value(&mut self) -> Parsed<String> {
        let value = match self.peek(0) {
            Some(Token::Quoted(value) | Token::Wildcard(value)) => value,
            Some(Token::Word(value)) if !attribute::is_reserved(value) => value,
            _ => return Err(self.expected(KEY)),
        };
        self.at += 1;
        Ok(value.to_owned())
    }

    /// `None` is `<null>`.
    fn value(&mut self) -> Parsed<Option<String>> {
        let value = match self.peek(0) {
            Some(Token::Null) => None,
            Some(Token::Quoted(value)) => Some(value),
            Some(Token::Word(value)) if !attribute::is_reserved_as_value(value) => Some(value),
            _ => return Err(self.expected(VALUE)),
        };
        self.at += 1;
        Ok(value.map(str::to_owned))
    }

    fn equal_value(&mut self) -> Parsed<Option<String>> {
        if self.take(Token::Equal) {
            self.value()
        } else {
            Ok(None)
        }
    }

    fn peek(&self, ahead: usize) -> Option<Token<'a>> {
        self.tokens.get(self.at + ahead).map(|found| found.token)
    }

    fn take(&mut self, wanted: Token<'_>) -> bool {
        let there = self.peek(0) == Some(wanted);
        self.at += usize::from(there);
        there
    }

    /// Where the next token stands; an empty span after the last.
    fn span(&self) -> Range<usize> {
        let end = || self.last_end()..self.last_end();
        self.tokens
            .get(self.at)
            .map_or_else(end, |found| found.span.clone())
    }

    /// Where the token before the next one ends.
    fn last_end(&self) -> usize {
        let last = self
            .at
            .checked_sub(1)
            .and_then(|last| self.tokens.get(last));
        last.map_or(0, |found| found.span.end)
    }

    fn found(&self, span: &Range<usize>) -> String {
        match &self.text[span.clone()] {
            "" => "the end".to_owned(),
            found => format!("`{found}`"),
        }
    }

    fn expected(&self, expected: &'static str) -> InvalidSelection {
        let span = self.span();
        if self.peek(0) == Some(Token::OpenQuote) {
            return self.refuse(span, SelectionProblem::UnclosedQuote);
        }
        let found = self.found(&span);
        self.refuse(span, SelectionProblem::Expected { expected, found })
    }

    fn invalid(
        &self,
        span: Range<usize>,
        attribute: &'static str,
        takes: &'static str,
    ) -> InvalidSelection {
        let found = self.found(&span);
        self.refuse(
            span,
            SelectionProblem::InvalidValue {
                attribute,
                takes,
                found,
            },
        )
    }

    fn refuse(&self, span: Range<usize>, problem: SelectionProblem) -> InvalidSelection {
        InvalidSelection::new(self.text, span, problem)
    }
}

/// More edges than a graph can have are all edges.
fn edges(digits: &str) -> Depth {
    digits.parse().map_or(Depth::All, Depth::Edges)
}

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
