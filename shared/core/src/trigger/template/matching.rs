//! Matching keys against a template.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    mem,
};

use super::{
    Captured, KeyValues,
    piece::{FormatPart, Piece},
};

/// Returns the readings of a key, at most `most`.
pub(super) fn find_readings(pieces: &[Piece], key: &str, most: usize) -> Vec<KeyValues> {
    let mut names = HashSet::new();
    let repeats = pieces
        .iter()
        .any(|piece| matches!(piece, Piece::Value { name, .. } if !names.insert(name)));
    let mut search = Search {
        pieces,
        key,
        most,
        // A failed position fails again whatever was captured before it, unless a repeated name has
        // to have the same value.
        dead: (!repeats).then(HashSet::new),
        searched: HashMap::new(),
        captured: BTreeMap::new(),
        found: Vec::new(),
    };
    search.match_from(0, 0);
    search.found
}

/// A backtracking search for readings of a key.
struct Search<'a> {
    pieces: &'a [Piece],
    key: &'a str,
    most: usize,
    /// The positions (piece, byte) from which the rest of the key does not match.
    dead: Option<HashSet<(usize, usize)>>,
    /// The positions that were searched with the present captures, and whether the rest matched.
    searched: HashMap<(usize, usize), bool>,
    captured: BTreeMap<String, Captured>,
    found: Vec<KeyValues>,
}

impl Search<'_> {
    /// Continues the readings from a position. Returns `true` if one matches.
    fn match_from(&mut self, piece: usize, at: usize) -> bool {
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
        // The same captures and the same rest give the same readings again.
        if let Some(fits) = self.searched.get(&(piece, at)) {
            return *fits;
        }
        // Without these memories, patterns such as `**a**a**a` take exponential time.
        let fits = self.match_piece(piece, at);
        self.searched.insert((piece, at), fits);
        if !fits && let Some(dead) = &mut self.dead {
            dead.insert((piece, at));
        }
        fits
    }

    /// Matches one piece at a position, and everything after it.
    fn match_piece(&mut self, piece: usize, at: usize) -> bool {
        let rest = &self.key[at..];
        match self.pieces.get(piece) {
            None => {
                let read = KeyValues(self.captured.clone());
                // Pieces without a name can match in several ways with the same values.
                if rest.is_empty() && !self.found.contains(&read) {
                    self.found.push(read);
                }
                rest.is_empty()
            }
            Some(Piece::Literal(text)) => {
                rest.starts_with(text.as_str()) && self.match_from(piece + 1, at + text.len())
            }
            Some(Piece::Any) => self.match_open(piece, at, 0, segment_length(rest), None),
            Some(Piece::Deep) => self.match_open(piece, at, 0, rest.len(), None),
            Some(Piece::Value { name, format: None }) => {
                let name = name.clone();
                self.match_open(piece, at, 1, segment_length(rest), Some(&name))
            }
            Some(Piece::Value {
                name,
                format: Some(format),
            }) => {
                let Some((length, digits)) = parse_moment(format, rest) else {
                    return false;
                };
                let value = Captured::Moment {
                    text: rest[..length].to_owned(),
                    digits,
                };
                let name = name.clone();
                self.match_captured(&name, value, piece + 1, at + length)
            }
        }
    }

    /// Matches a piece of `least` to `most` bytes, the longest first.
    fn match_open(
        &mut self,
        piece: usize,
        at: usize,
        least: usize,
        most: usize,
        name: Option<&str>,
    ) -> bool {
        let mut fits = false;
        for length in (least..=most).rev() {
            // A piece never ends inside a character.
            if !self.key.is_char_boundary(at + length) {
                continue;
            }
            fits |= match name {
                None => self.match_from(piece + 1, at + length),
                Some(name) => {
                    let value = Captured::Text(self.key[at..at + length].to_owned());
                    self.match_captured(name, value, piece + 1, at + length)
                }
            };
            if self.found.len() >= self.most {
                break;
            }
        }
        fits
    }

    /// Captures a value and continues; a name that is captured already must have the same value.
    fn match_captured(&mut self, name: &str, value: Captured, piece: usize, at: usize) -> bool {
        if let Some(before) = self.captured.get(name) {
            return *before == value && self.match_from(piece, at);
        }
        // Captured only while the rest is matched, then free for the next try.
        self.captured.insert(name.to_owned(), value);
        let searched = mem::take(&mut self.searched);
        let fits = self.match_from(piece, at);
        self.searched = searched;
        self.captured.remove(name);
        fits
    }
}

/// Returns the number of bytes before the next `/`.
fn segment_length(rest: &str) -> usize {
    rest.find('/').unwrap_or(rest.len())
}

/// Parses a time at the start of a text. Returns its length, and its digits by directive.
fn parse_moment(format: &[FormatPart], text: &str) -> Option<(usize, BTreeMap<char, String>)> {
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
                // A repeated directive has to have the same digits.
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
