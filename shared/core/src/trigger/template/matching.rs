//! Reads keys by a template.

use std::collections::{BTreeMap, HashSet};

use super::{
    Captured, KeyValues,
    piece::{FormatPart, Piece},
};

/// The ways in which a key can be read, at most `most`.
pub(super) fn readings(pieces: &[Piece], key: &str, most: usize) -> Vec<KeyValues> {
    let mut names = HashSet::new();
    let repeats = pieces
        .iter()
        .any(|piece| matches!(piece, Piece::Value { name, .. } if !names.insert(name)));
    let mut search = Search {
        pieces,
        key,
        most,
        // What was captured before decides only where a name comes twice.
        dead: (!repeats).then(HashSet::new),
        captured: BTreeMap::new(),
        found: Vec::new(),
    };
    search.from(0, 0);
    search.found
}

struct Search<'a> {
    pieces: &'a [Piece],
    key: &'a str,
    most: usize,
    /// Places (piece, byte) from which the rest of the key does not fit.
    dead: Option<HashSet<(usize, usize)>>,
    captured: BTreeMap<String, Captured>,
    found: Vec<KeyValues>,
}

impl Search<'_> {
    /// Looks for ways to read the key on from a place; whether there is one.
    fn from(&mut self, piece: usize, at: usize) -> bool {
        if self.found.len() >= self.most {
            return true;
        }
        if self
            .dead
            .as_ref()
            .is_some_and(|dead| dead.contains(&(piece, at)))
        {
            return false;
        }
        let fits = self.step(piece, at);
        if !fits && let Some(dead) = &mut self.dead {
            dead.insert((piece, at));
        }
        fits
    }

    fn step(&mut self, piece: usize, at: usize) -> bool {
        let rest = &self.key[at..];
        match self.pieces.get(piece) {
            None => {
                let read = KeyValues(self.captured.clone());
                // Parts without a name can take this or that, and the key says the same.
                if rest.is_empty() && !self.found.contains(&read) {
                    self.found.push(read);
                }
                rest.is_empty()
            }
            Some(Piece::Literal(text)) => {
                rest.starts_with(text.as_str()) && self.from(piece + 1, at + text.len())
            }
            Some(Piece::Any) => self.open(piece, at, 0, segment(rest), None),
            Some(Piece::Deep) => self.open(piece, at, 0, rest.len(), None),
            Some(Piece::Value { name, format: None }) => {
                let name = name.clone();
                self.open(piece, at, 1, segment(rest), Some(&name))
            }
            Some(Piece::Value {
                name,
                format: Some(format),
            }) => {
                let Some((length, digits)) = moment(format, rest) else {
                    return false;
                };
                let value = Captured::Moment {
                    text: rest[..length].to_owned(),
                    digits,
                };
                let name = name.clone();
                self.with(&name, value, piece + 1, at + length)
            }
        }
    }

    /// A piece of from `least` to `most` bytes, the longest first.
    fn open(
        &mut self,
        piece: usize,
        at: usize,
        least: usize,
        most: usize,
        name: Option<&str>,
    ) -> bool {
        let mut fits = false;
        for length in (least..=most).rev() {
            if !self.key.is_char_boundary(at + length) {
                continue;
            }
            fits |= match name {
                None => self.from(piece + 1, at + length),
                Some(name) => {
                    let value = Captured::Text(self.key[at..at + length].to_owned());
                    self.with(name, value, piece + 1, at + length)
                }
            };
            if self.found.len() >= self.most {
                break;
            }
        }
        fits
    }

    fn with(&mut self, name: &str, value: Captured, piece: usize, at: usize) -> bool {
        if let Some(before) = self.captured.get(name) {
            return *before == value && self.from(piece, at);
        }
        self.captured.insert(name.to_owned(), value);
        let fits = self.from(piece, at);
        self.captured.remove(name);
        fits
    }
}

/// How many bytes there are up to the next `/`.
fn segment(rest: &str) -> usize {
    rest.find('/').unwrap_or(rest.len())
}

/// A moment at the beginning of a text: its length, and its digits by directive.
fn moment(format: &[FormatPart], text: &str) -> Option<(usize, BTreeMap<char, String>)> {
    let mut at = 0;
    let mut digits: BTreeMap<char, String> = BTreeMap::new();
    for part in format {
        match part {
            FormatPart::Literal(literal) => {
                text[at..].starts_with(literal.as_str()).then_some(())?;
                at += literal.len();
            }
            FormatPart::Digits { directive, count } => {
                let found = text.get(at..at + count)?;
                if !found.bytes().all(|b| b.is_ascii_digit()) {
                    return None;
                }
                let before = digits.insert(*directive, found.to_owned());
                if before.is_some_and(|before| before != found) {
                    return None;
                }
                at += count;
            }
        }
    }
    Some((at, digits))
}
