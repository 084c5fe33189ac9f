//! Parsing templates.

use std::ops::Range;

use super::{
    InvalidKeyTemplate,
    piece::{FormatPart, Piece},
};
use crate::prose::and_list;

/// The longest key of an object in S3, in bytes of UTF-8.
const LONGEST_KEY: usize = 1_024;

/// Parses a template into its pieces.
pub(super) fn parse_template(text: &str) -> Result<Vec<Piece>, InvalidKeyTemplate> {
    Parser { text, at: 0 }.parse_pieces()
}

/// A parser at a position in a template.
struct Parser<'a> {
    text: &'a str,
    /// The position, in bytes.
    at: usize,
}

impl Parser<'_> {
    /// Creates an error for a part of the template.
    fn invalid_at(&self, span: Range<usize>, problem: impl Into<String>) -> InvalidKeyTemplate {
        InvalidKeyTemplate {
            template: self.text.to_owned(),
            problem: problem.into(),
            span,
        }
    }

    /// Parses the whole template.
    fn parse_pieces(mut self) -> Result<Vec<Piece>, InvalidKeyTemplate> {
        let all = 0..self.text.len();
        if self.text.is_empty() {
            return Err(self.invalid_at(all, "it is empty: write one like `orders/{date}.csv`"));
        }
        if self.text.starts_with('/') {
            return Err(self.invalid_at(0..1, "keys do not begin with `/`: leave it out"));
        }
        if self.text.len() > LONGEST_KEY {
            return Err(self.invalid_at(all, "no key is longer than 1024 bytes"));
        }
        let mut pieces: Vec<Piece> = Vec::new();
        while self.at < self.text.len() {
            let start = self.at;
            let piece = self.parse_piece()?;
            // Literals are joined, so that an escaped brace does not split one.
            match (pieces.last_mut(), piece) {
                (Some(Piece::Literal(before)), Piece::Literal(more)) => before.push_str(&more),
                (Some(last), piece) if is_ambiguous(last, &piece) => {
                    return Err(self.invalid_at(
                        start..self.at,
                        "two parts of any length are side by side, so the end of the first is \
                         ambiguous: put characters between them, like `{date}-{region}`",
                    ));
                }
                (_, piece) => pieces.push(piece),
            }
        }
        Ok(pieces)
    }

    /// Parses the next piece.
    fn parse_piece(&mut self) -> Result<Piece, InvalidKeyTemplate> {
        let rest = &self.text[self.at..];
        // Escapes first: `{{` must not open a name.
        for (written, meant) in [("{{", "{"), ("}}", "}")] {
            if rest.starts_with(written) {
                self.at += 2;
                return Ok(Piece::Literal(meant.to_owned()));
            }
        }
        if rest.starts_with("***") {
            return Err(self.invalid_at(self.at..self.at + 3, "`***` means nothing: write `**`"));
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
            return self.parse_value();
        }
        if rest.starts_with('}') {
            let span = self.at..self.at + 1;
            return Err(self.invalid_at(span, "`}` closes nothing: write `}}` for a brace"));
        }
        let end = rest.find(['{', '}', '*']).unwrap_or(rest.len());
        self.at += end;
        Ok(Piece::Literal(rest[..end].to_owned()))
    }

    /// Parses a name in braces, with its format.
    fn parse_value(&mut self) -> Result<Piece, InvalidKeyTemplate> {
        let start = self.at;
        let rest = &self.text[start + 1..];
        let named = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let name: String = rest.chars().take_while(|c| named(*c)).collect();
        let Some(length) = rest.find('}') else {
            // The suggestion uses the name as far as it was given.
            let shown = if name.is_empty() { "date" } else { &name };
            return Err(self.invalid_at(
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
            return Err(self.invalid_at(
                span,
                format!(
                    "`{{{inside}}}` does not name a dimension: write ASCII letters, digits and \
                     `_`, like `{{date}}`"
                ),
            ));
        }
        let format = format
            .map(|format| self.parse_format(format, &span))
            .transpose()?;
        Ok(Piece::Value { name, format })
    }

    /// Parses the time format of a name.
    fn parse_format(
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
                return Err(self.invalid_at(
                    span.clone(),
                    format!(
                        "`%{}` is not supported in a key: use {}",
                        given.map(String::from).unwrap_or_default(),
                        and_list(&all)
                    ),
                ));
            };
            parts.push(FormatPart::Digits { directive, count });
        }
        if !parts
            .iter()
            .any(|part| matches!(part, FormatPart::Digits { .. }))
        {
            return Err(self.invalid_at(
                span.clone(),
                "the format after `:` names no part of a time: write one like `{date:%Y/%m/%d}`",
            ));
        }
        Ok(parts)
    }
}

/// Returns `true` if the border between two pieces is ambiguous.
fn is_ambiguous(before: &Piece, after: &Piece) -> bool {
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
