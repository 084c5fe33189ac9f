//! Reads templates.

use std::ops::Range;

use super::{
    InvalidKeyTemplate,
    piece::{FormatPart, Piece},
};
use crate::nearest::or_list;

/// The longest key of an object in S3, in bytes of UTF-8.
const LONGEST_KEY: usize = 1_024;

pub(super) fn parse(text: &str) -> Result<Vec<Piece>, InvalidKeyTemplate> {
    Reader { text, at: 0 }.read()
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn fault(&self, span: Range<usize>, problem: impl Into<String>) -> InvalidKeyTemplate {
        InvalidKeyTemplate {
            template: self.text.to_owned(),
            problem: problem.into(),
            span,
        }
    }

    fn read(mut self) -> Result<Vec<Piece>, InvalidKeyTemplate> {
        let all = 0..self.text.len();
        if self.text.is_empty() {
            return Err(self.fault(all, "it is empty: write one like `orders/{date}.csv`"));
        }
        if self.text.starts_with('/') {
            return Err(self.fault(0..1, "keys do not begin with `/`: leave it out"));
        }
        if self.text.len() > LONGEST_KEY {
            return Err(self.fault(all, "no key is longer than 1024 bytes"));
        }
        let mut pieces: Vec<Piece> = Vec::new();
        while self.at < self.text.len() {
            let start = self.at;
            let piece = self.piece()?;
            match (pieces.last_mut(), piece) {
                (Some(Piece::Literal(before)), Piece::Literal(more)) => before.push_str(&more),
                (Some(last), piece) if touches(last, &piece) => {
                    return Err(self.fault(
                        start..self.at,
                        "two parts of any length stand side by side, and nobody can say where one \
                         ends: put characters between them, like `{date}-{region}`",
                    ));
                }
                (_, piece) => pieces.push(piece),
            }
        }
        Ok(pieces)
    }

    fn piece(&mut self) -> Result<Piece, InvalidKeyTemplate> {
        let rest = &self.text[self.at..];
        for (written, meant) in [("{{", "{"), ("}}", "}")] {
            if rest.starts_with(written) {
                self.at += 2;
                return Ok(Piece::Literal(meant.to_owned()));
            }
        }
        if rest.starts_with("***") {
            return Err(self.fault(self.at..self.at + 3, "`***` means nothing: write `**`"));
        }
        if rest.starts_with("**") {
            self.at += 2;
            return Ok(Piece::Deep);
        }
        if rest.starts_with('*') {
            self.at += 1;
            return Ok(Piece::Any);
        }
        if rest.starts_with('{') {
            return self.value();
        }
        if rest.starts_with('}') {
            let span = self.at..self.at + 1;
            return Err(self.fault(span, "`}` closes nothing: write `}}` for a brace"));
        }
        let end = rest.find(['{', '}', '*']).unwrap_or(rest.len());
        self.at += end;
        Ok(Piece::Literal(rest[..end].to_owned()))
    }

    fn value(&mut self) -> Result<Piece, InvalidKeyTemplate> {
        let start = self.at;
        let rest = &self.text[start + 1..];
        let named = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let name: String = rest.chars().take_while(|c| named(*c)).collect();
        let Some(length) = rest.find('}') else {
            let shown = if name.is_empty() { "date" } else { &name };
            return Err(self.fault(
                start..self.text.len(),
                format!("`{{` is not closed: write `{{{shown}}}`, or `{{{{` for a brace"),
            ));
        };
        self.at = start + 1 + length + 1;
        let span = start..self.at;
        let inside = &rest[..length];
        let (written, format) = match inside.split_once(':') {
            Some((name, format)) => (name, Some(format)),
            None => (inside, None),
        };
        if written.is_empty() || written != name || name.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(self.fault(
                span,
                format!(
                    "`{{{inside}}}` does not name a dimension: write ASCII letters, digits and \
                     `_`, like `{{date}}`"
                ),
            ));
        }
        let format = format
            .map(|format| self.format(format, &span))
            .transpose()?;
        Ok(Piece::Value { name, format })
    }

    fn format(
        &self,
        format: &str,
        span: &Range<usize>,
    ) -> Result<Vec<FormatPart>, InvalidKeyTemplate> {
        let mut parts: Vec<FormatPart> = Vec::new();
        let mut rest = format.chars();
        while let Some(character) = rest.next() {
            if character != '%' {
                match parts.last_mut() {
                    Some(FormatPart::Literal(text)) => text.push(character),
                    _ => parts.push(FormatPart::Literal(character.into())),
                }
                continue;
            }
            let given = rest.next();
            let known = FormatPart::DIRECTIVES
                .iter()
                .find(|(directive, _)| given == Some(*directive));
            let Some(&(directive, count)) = known else {
                let all = FormatPart::DIRECTIVES.map(|(directive, _)| format!("%{directive}"));
                return Err(self.fault(
                    span.clone(),
                    format!(
                        "`%{}` cannot be read out of a key: there are {}",
                        given.map(String::from).unwrap_or_default(),
                        or_list(&all).replace(" or ", " and ")
                    ),
                ));
            };
            parts.push(FormatPart::Digits { directive, count });
        }
        if !parts
            .iter()
            .any(|part| matches!(part, FormatPart::Digits { .. }))
        {
            return Err(self.fault(
                span.clone(),
                "the form after `:` names no part of a moment: write one like `{date:%Y/%m/%d}`",
            ));
        }
        Ok(parts)
    }
}

/// Whether nobody could say where one piece ends and the next begins.
fn touches(before: &Piece, after: &Piece) -> bool {
    let open = |piece: &Piece| {
        !matches!(
            piece,
            Piece::Literal(_)
                | Piece::Value {
                    format: Some(_),
                    ..
                }
        )
    };
    open(before) && open(after)
}
