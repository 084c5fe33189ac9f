//! [`cut_text`].

/// Returns the length of a text within JSON, without its quotes.
pub fn json_len(text: &str) -> usize {
    text.chars().map(char_len).sum()
}

fn char_len(char: char) -> usize {
    match char {
        '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
        '\0'..='\u{1f}' => 6,
        _ => char.len_utf8(),
    }
}

/// Returns a text whose length within JSON is at most `most`: the text itself, or its beginning and
/// the number of bytes that were cut off, followed by `note`.
///
/// ```
/// use precip_engine::state::cut_text;
///
/// assert_eq!(cut_text("no row", 40, ""), "no row");
/// assert_eq!(cut_text(&"no row; ".repeat(9), 40, ""), "no row; no row; no row.. (50 more bytes)");
/// ```
pub fn cut_text(text: &str, most: usize, note: &str) -> String {
    if json_len(text) <= most {
        return text.to_owned();
    }
    // The count of what is cut is never longer than that of the whole text.
    let room = most.saturating_sub(json_len(&cut_mark(text.len(), note)));
    let mut used = 0;
    let end = text.char_indices().find_map(|(index, char)| {
        used += char_len(char);
        (used > room).then_some(index)
    });
    let end = end.unwrap_or(text.len());
    format!("{}{}", &text[..end], cut_mark(text.len() - end, note))
}

fn cut_mark(bytes: usize, note: &str) -> String {
    format!(".. ({bytes} more bytes{note})")
}
