//! Text from outside, made harmless for terminals.
//!
//! Keys of objects, rows, errors and metadata may contain control sequences, which could rewrite what a terminal
//! shows or type into it, and characters that reverse the direction of text. They are shown as escapes:
//! `\u{1b}[2J`. Everything that is printed for people passes through here; data for programs stays as it is.

use std::{
    borrow::Cow,
    io::{self, Write},
};

/// The sequences that headings are printed with.
const STYLES: [&str; 2] = ["\u{1b}[1m", "\u{1b}[0m"];

/// Returns `true` for a character that is shown as an escape: controls but the line break, and characters that
/// change the direction or the place of what follows, or are invisible.
fn is_harmful(c: char) -> bool {
    match c {
        '\n' => false,
        '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{feff}' => true,
        // Line and paragraph separators, embeddings and overrides.
        '\u{2028}'..='\u{202e}' => true,
        // Isolates, and deprecated controls of direction and shape.
        '\u{2066}'..='\u{206f}' => true,
        '\u{fff9}'..='\u{fffb}' => true,
        // Invisible copies of ASCII.
        '\u{e0000}'..='\u{e007f}' => true,
        c => c.is_control(),
    }
}

fn escape_into(text: &mut String, c: char) {
    match c {
        // A tab moves to a place that depends on the terminal.
        '\t' => text.push(' '),
        c if is_harmful(c) => text.extend(c.escape_default()),
        c => text.push(c),
    }
}

/// Returns a text of any number of lines with escapes for harmful characters.
pub(crate) fn clean_text(text: &str) -> Cow<'_, str> {
    if !text.contains(is_harmful) {
        return Cow::Borrowed(text);
    }
    let mut clean = String::with_capacity(text.len() + 16);
    for (index, c) in text.char_indices() {
        // The line break of Windows is one.
        if c == '\r' && text[index..].starts_with("\r\n") {
            continue;
        }
        escape_into(&mut clean, c);
    }
    Cow::Owned(clean)
}

/// Returns a text as one line with escapes for harmful characters. Line breaks become spaces.
pub(crate) fn clean_line(text: &str) -> Cow<'_, str> {
    match clean_text(text) {
        clean if !clean.contains('\n') => clean,
        clean => Cow::Owned(clean.replace('\n', " ")),
    }
}

/// Returns printed text with escapes for harmful characters, except for the style of headings.
fn clean_output(text: &str) -> Cow<'_, str> {
    if !text.contains(is_harmful) {
        return Cow::Borrowed(text);
    }
    let mut clean = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while !rest.is_empty() {
        let style = STYLES.iter().find(|style| rest.starts_with(**style));
        if let Some(style) = style {
            clean.push_str(style);
            rest = &rest[style.len()..];
            continue;
        }
        let mut escapes = rest.char_indices().skip(1).filter(|(_, c)| *c == '\u{1b}');
        let next = escapes.next().map_or(rest.len(), |(at, _)| at);
        let (piece, after) = rest.split_at(next);
        clean.push_str(&clean_text(piece));
        rest = after;
    }
    Cow::Owned(clean)
}

/// A writer that makes what is written to it harmless. [`finish`](Self::finish) writes a character that was begun.
pub(crate) struct CleanWriter<W: Write> {
    inner: W,
    /// The beginning of a character whose other bytes are to come.
    begun: Vec<u8>,
}

impl<W: Write> CleanWriter<W> {
    /// Creates a writer in front of another.
    pub(crate) fn new(inner: W) -> Self {
        Self {
            inner,
            begun: Vec::new(),
        }
    }

    /// Writes what is left of an incomplete character.
    ///
    /// # Errors
    /// When the stream is closed.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        let rest = std::mem::take(&mut self.begun);
        self.inner
            .write_all(String::from_utf8_lossy(&rest).as_bytes())
    }
}

impl<W: Write> Write for CleanWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut all = std::mem::take(&mut self.begun);
        all.extend_from_slice(bytes);
        let complete = match str::from_utf8(&all) {
            // Only an incomplete character at the end can be completed later.
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            _ => all.len(),
        };
        self.begun = all.split_off(complete);
        let text = String::from_utf8_lossy(&all);
        self.inner.write_all(clean_output(&text).as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(pieces: &[&[u8]]) -> String {
        let mut out = Vec::new();
        let mut writer = CleanWriter::new(&mut out);
        for piece in pieces {
            writer.write_all(piece).unwrap();
        }
        writer.finish().unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn controls_of_every_kind_are_escaped() {
        for (text, clean) in [
            ("a\u{1b}[2Jb", "a\\u{1b}[2Jb"),
            ("\u{1b}]0;title\u{7}", "\\u{1b}]0;title\\u{7}"),
            ("\u{9b}31m", "\\u{9b}31m"),
            ("safe\u{202e}fdp.exe", "safe\\u{202e}fdp.exe"),
            (
                "\u{2066}a\u{2069}\u{200f}\u{61c}",
                "\\u{2066}a\\u{2069}\\u{200f}\\u{61c}",
            ),
            (
                "a\u{2028}b\u{feff}\u{e0041}",
                "a\\u{2028}b\\u{feff}\\u{e0041}",
            ),
            (
                "over\rwritten\u{8}\u{7f}\0",
                "over\\rwritten\\u{8}\\u{7f}\\u{0}",
            ),
            ("one\r\ntwo", "one\ntwo"),
            ("日本 é 👩‍👩‍👧 ﷽", "日本 é 👩‍👩‍👧 ﷽"),
        ] {
            assert_eq!(clean_text(text), clean);
            assert_eq!(written(&[text.as_bytes()]), clean);
        }
        assert_eq!(clean_line("a\nb\tc\r\nd\re"), "a b c d\\re");
    }

    #[test]
    fn no_control_is_left_whatever_is_written() {
        for c in (0..=0x10_ffff_u32).filter_map(char::from_u32) {
            let mut buffer = [0; 4];
            let clean = clean_line(c.encode_utf8(&mut buffer)).into_owned();
            assert!(!clean.contains(char::is_control), "{c:?}");
            assert!(!clean.contains(is_harmful), "{c:?}");
        }
    }

    #[test]
    fn characters_in_pieces_and_bytes_that_are_no_text_are_escaped_too() {
        let bytes = "\u{9b}2J é\u{202e}".as_bytes();
        let pieces: Vec<&[u8]> = bytes.chunks(1).collect();
        assert_eq!(written(&pieces), "\\u{9b}2J é\\u{202e}");
        assert_eq!(
            written(&[b"a\x9bb\xff", b"\xe2"]),
            "a\u{fffd}b\u{fffd}\u{fffd}"
        );
    }

    #[test]
    fn the_style_of_headings_passes_and_no_other() {
        let bold = crate::output::table::HEADINGS;
        let styled = format!("{bold}NAME{bold:#}");
        assert!(styled.contains('\u{1b}'));
        assert_eq!(written(&[styled.as_bytes()]), styled);
        assert_eq!(
            written(&[b"\x1b[8m\x1b[1mb\x1b[0m\x1b[1"]),
            "\\u{1b}[8m\u{1b}[1mb\u{1b}[0m\\u{1b}[1"
        );
    }
}
