//! [`Parser`].

use std::{collections::BTreeSet, sync::LazyLock};

use super::{
    Kind,
    condition::{Comparator, Condition, Operand},
    lexer::{Token, syntax_error, tokens},
    path::{Path, Step},
    placeholders::Placeholders,
    update::{Source, Update},
};
use crate::dynamo::{error::Failure, value::Value};

/// The longest expression, in bytes: 4 KB.
///
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>
const LONGEST: usize = 4096;
/// The most operators and functions in an expression: 300.
const OPERATORS: usize = 300;
/// The most operands of `IN`: 100.
const OPERANDS_OF_IN: usize = 100;

/// The words that no expression may use as names, in lower case.
///
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ReservedWords.html>
static RESERVED: LazyLock<BTreeSet<&str>> =
    LazyLock::new(|| include_str!("../reserved.txt").split_whitespace().collect());

/// A parser of one expression.
pub(super) struct Parser<'a> {
    kind: Kind,
    tokens: Vec<Token>,
    at: usize,
    operators: usize,
    placeholders: &'a Placeholders,
}

impl<'a> Parser<'a> {
    pub(super) fn new(
        kind: Kind,
        text: &str,
        placeholders: &'a Placeholders,
    ) -> Result<Self, Failure> {
        if text.trim().is_empty() {
            return Err(kind.failure("The expression can not be empty;"));
        }
        if text.len() > LONGEST {
            return Err(kind.failure(format!(
                "Expression size has exceeded the maximum allowed size; expression size: {}",
                text.len()
            )));
        }
        Ok(Self {
            kind,
            tokens: tokens(kind, text)?,
            at: 0,
            operators: 0,
            placeholders,
        })
    }

    pub(super) fn end(&self) -> Result<(), Failure> {
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(self.syntax_error()),
        }
    }

    fn syntax_error(&self) -> Failure {
        let near = match self.tokens.get(self.at) {
            Some(token) => format!("{token:?}"),
            None => "<EOF>".to_owned(),
        };
        syntax_error(self.kind, &near)
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn takes_sign(&mut self, sign: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Sign(found)) if *found == sign);
        self.at += usize::from(found);
        found
    }

    fn expect_sign(&mut self, sign: &str) -> Result<(), Failure> {
        if self.takes_sign(sign) {
            return Ok(());
        }
        Err(self.syntax_error())
    }

    fn takes_word(&mut self, word: &str) -> bool {
        let found =
            matches!(self.peek(), Some(Token::Word(found)) if found.eq_ignore_ascii_case(word));
        self.at += usize::from(found);
        found
    }

    fn count_operator(&mut self) -> Result<(), Failure> {
        self.operators += 1;
        if self.operators > OPERATORS {
            return Err(self.kind.failure(format!(
                "The expression contains too many operators; maximum operator count: {OPERATORS}"
            )));
        }
        Ok(())
    }

    /// Returns the name of the function that is called next. Names of functions are in lower case.
    fn takes_function(&mut self) -> Result<Option<String>, Failure> {
        let called = matches!(self.tokens.get(self.at + 1), Some(Token::Sign("(")));
        let Some(Token::Word(name)) = self.peek().filter(|_| called) else {
            return Ok(None);
        };
        let name = name.clone();
        // `NOT (..)` and its like call nothing.
        if ["not", "and", "or", "in", "between"].contains(&name.to_lowercase().as_str()) {
            return Ok(None);
        }
        self.at += 2;
        self.count_operator()?;
        Ok(Some(name))
    }

    fn unknown_function(&self, name: &str) -> Failure {
        self.kind
            .failure(format!("Invalid function name; function: {name}"))
    }

    fn step(&mut self) -> Result<Step, Failure> {
        let name = match self.peek() {
            Some(Token::Name(placeholder)) => self.placeholders.name(placeholder)?,
            Some(Token::Word(word)) if RESERVED.contains(word.to_lowercase().as_str()) => {
                return Err(self.kind.failure(format!(
                    "Attribute name is a reserved keyword; reserved keyword: {word}"
                )));
            }
            Some(Token::Word(word)) => word.clone(),
            _ => return Err(self.syntax_error()),
        };
        self.at += 1;
        Ok(Step::Name(name))
    }

    fn path(&mut self) -> Result<Path, Failure> {
        let mut steps = vec![self.step()?];
        loop {
            if self.takes_sign(".") {
                steps.push(self.step()?);
            } else if self.takes_sign("[") {
                let Some(Token::Index(index)) = self.peek() else {
                    return Err(self.syntax_error());
                };
                steps.push(Step::Index(*index));
                self.at += 1;
                self.expect_sign("]")?;
            } else {
                return Ok(Path(steps));
            }
        }
    }

    pub(super) fn paths(&mut self) -> Result<Vec<Path>, Failure> {
        let mut paths = vec![self.path()?];
        while self.takes_sign(",") {
            paths.push(self.path()?);
        }
        Ok(paths)
    }

    fn value(&mut self) -> Result<Option<Value>, Failure> {
        let Some(Token::Value(placeholder)) = self.peek() else {
            return Ok(None);
        };
        let value = self.placeholders.value(placeholder)?;
        self.at += 1;
        Ok(Some(value))
    }

    fn operand(&mut self) -> Result<Operand, Failure> {
        if let Some(value) = self.value()? {
            return Ok(Operand::Value(value));
        }
        match self.takes_function()? {
            Some(name) if name == "size" => {
                let path = self.path()?;
                self.expect_sign(")")?;
                Ok(Operand::Size(path))
            }
            Some(name) => Err(self.unknown_function(&name)),
            None => Ok(Operand::Path(self.path()?)),
        }
    }

    /// Parses a condition: `OR` binds less than `AND`, and that less than `NOT`.
    pub(super) fn condition(&mut self) -> Result<Condition, Failure> {
        let mut condition = self.conjunction()?;
        while self.takes_word("or") {
            self.count_operator()?;
            let other = self.conjunction()?;
            condition = Condition::Or(Box::new(condition), Box::new(other));
        }
        Ok(condition)
    }

    fn conjunction(&mut self) -> Result<Condition, Failure> {
        let mut condition = self.negation()?;
        while self.takes_word("and") {
            self.count_operator()?;
            let other = self.negation()?;
            condition = Condition::And(Box::new(condition), Box::new(other));
        }
        Ok(condition)
    }

    fn negation(&mut self) -> Result<Condition, Failure> {
        if self.takes_word("not") {
            self.count_operator()?;
            return Ok(Condition::Not(Box::new(self.negation()?)));
        }
        if self.takes_sign("(") {
            let (outer, inner) = (self.at - 1, self.at);
            if let (Some(end), Some(inner_end)) = (self.closing(outer), self.closing(inner))
                && inner_end + 1 == end
            {
                return Err(self
                    .kind
                    .failure("The expression has redundant parentheses;"));
            }
            let condition = self.condition()?;
            self.expect_sign(")")?;
            return Ok(condition);
        }
        let condition = self.comparison()?;
        condition.check(self.kind)?;
        Ok(condition)
    }

    /// Returns the position of the parenthesis that closes the one at a position; `None` if there is
    /// none at that position, or none closes it.
    fn closing(&self, open: usize) -> Option<usize> {
        let mut depth = 0_u32;
        for (at, token) in self.tokens.iter().enumerate().skip(open) {
            match token {
                Token::Sign("(") => depth += 1,
                Token::Sign(")") => depth = depth.checked_sub(1)?,
                _ => {}
            }
            if depth == 0 {
                return (at > open).then_some(at);
            }
        }
        None
    }

    fn comparison(&mut self) -> Result<Condition, Failure> {
        let start = self.at;
        if let Some(name) = self.takes_function()? {
            if name == "size" {
                self.at = start;
                self.operators -= 1;
            } else {
                return self.function(&name);
            }
        }
        let left = self.operand()?;
        self.count_operator()?;
        if self.takes_word("between") {
            let low = self.operand()?;
            if !self.takes_word("and") {
                return Err(self.syntax_error());
            }
            let high = self.operand()?;
            return Ok(Condition::Between(left, [low, high]));
        }
        if self.takes_word("in") {
            self.expect_sign("(")?;
            let mut operands = vec![self.operand()?];
            while self.takes_sign(",") {
                operands.push(self.operand()?);
            }
            self.expect_sign(")")?;
            if operands.len() > OPERANDS_OF_IN {
                return Err(self.kind.failure(format!(
                    "Incorrect number of operands for operator or function; operator or function: IN, \
                     number of operands: {}",
                    operands.len() + 1
                )));
            }
            return Ok(Condition::In(left, operands));
        }
        let comparator = match self.peek() {
            Some(Token::Sign(sign)) => Comparator::from_sign(sign),
            _ => None,
        };
        let comparator = comparator.ok_or_else(|| self.syntax_error())?;
        self.at += 1;
        Ok(Condition::Compare(comparator, left, self.operand()?))
    }

    fn function(&mut self, name: &str) -> Result<Condition, Failure> {
        let path = match self.peek() {
            Some(Token::Value(_)) => {
                return Err(self.kind.failure(format!(
                    "Operator or function requires a document path; operator or function: {name}"
                )));
            }
            _ => self.path()?,
        };
        let condition = match name {
            "attribute_exists" => Condition::Exists(path),
            "attribute_not_exists" => Condition::Missing(path),
            "attribute_type" | "begins_with" | "contains" => {
                self.expect_sign(",")?;
                let operand = self.operand()?;
                match (name, operand) {
                    ("attribute_type", Operand::Value(Value::Text(kind))) => {
                        Condition::HasType(path, kind)
                    }
                    ("begins_with", operand) => Condition::BeginsWith(path, operand),
                    ("contains", operand) => Condition::Contains(path, operand),
                    _ => return Err(self.syntax_error()),
                }
            }
            other => return Err(self.unknown_function(other)),
        };
        self.expect_sign(")")?;
        Ok(condition)
    }

    /// Parses an update: each section comes once, in any order.
    pub(super) fn update(&mut self) -> Result<Update, Failure> {
        let mut update = Update::default();
        let mut seen = BTreeSet::new();
        while self.peek().is_some() {
            let section = if self.takes_word("set") {
                update.set = self.set_actions()?;
                "SET"
            } else if self.takes_word("remove") {
                update.remove = self.paths()?;
                "REMOVE"
            } else if self.takes_word("add") || self.takes_word("delete") {
                panic!("the strict AWS does not know the actions ADD and DELETE of updates");
            } else {
                return Err(self.syntax_error());
            };
            if !seen.insert(section) {
                return Err(self.kind.failure(format!(
                    "The \"{section}\" section can only be used once in an update expression;"
                )));
            }
        }
        Ok(update)
    }

    fn set_actions(&mut self) -> Result<Vec<(Path, Source)>, Failure> {
        let mut actions = Vec::new();
        loop {
            let path = self.path()?;
            self.expect_sign("=")?;
            self.count_operator()?;
            let mut source = self.source()?;
            if self.takes_sign("+") {
                self.count_operator()?;
                source = Source::Sum(Box::new(source), Box::new(self.source()?));
            } else if self.takes_sign("-") {
                self.count_operator()?;
                source = Source::Difference(Box::new(source), Box::new(self.source()?));
            }
            actions.push((path, source));
            if !self.takes_sign(",") {
                return Ok(actions);
            }
        }
    }

    fn source(&mut self) -> Result<Source, Failure> {
        if let Some(value) = self.value()? {
            return Ok(Source::Value(value));
        }
        match self.takes_function()? {
            Some(name) if name == "if_not_exists" => {
                let path = self.path()?;
                self.expect_sign(",")?;
                let otherwise = self.source()?;
                self.expect_sign(")")?;
                Ok(Source::IfMissing(path, Box::new(otherwise)))
            }
            Some(name) if name == "list_append" => {
                panic!("the strict AWS does not know the function list_append of updates")
            }
            Some(name) => Err(self.unknown_function(&name)),
            None => Ok(Source::Path(self.path()?)),
        }
    }
}
