//! XML of answers.

/// Returns a document.
pub(super) fn document(content: &str) -> Vec<u8> {
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{content}").into_bytes()
}

/// Returns an element.
pub(super) fn element(name: &str, content: &str) -> String {
    format!("<{name}>{content}</{name}>")
}

/// Returns an element with a text.
///
/// # Panics
/// When the text has characters that XML cannot represent, which S3's answers only hold encoded.
pub(super) fn text(name: &str, text: impl std::fmt::Display) -> String {
    let text = text.to_string();
    let is_valid = |sign: char| !sign.is_control() || matches!(sign, '\t' | '\n' | '\r');
    assert!(
        text.chars().all(is_valid),
        "XML has no {text:?}: ask for encoding-type=url"
    );
    let mut escaped = String::with_capacity(text.len());
    for sign in text.chars() {
        match sign {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\r' => escaped.push_str("&#13;"),
            other => escaped.push(other),
        }
    }
    element(name, &escaped)
}
