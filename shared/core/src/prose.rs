//! Names in messages: lists such as `` `a`, `b` or `c` ``, and "did you mean ..?".

use crate::nearest::nearest_names;

/// Returns `` `a`, `b` or `c` ``. Empty when there are no names.
///
/// ```
/// assert_eq!(precip_core::prose::or_list(&["a", "b", "c"]), "`a`, `b` or `c`");
/// ```
pub fn or_list<S: AsRef<str>>(names: &[S]) -> String {
    quoted_list(names, "or")
}

/// Returns `` `a`, `b` and `c` ``. Empty when there are no names.
///
/// ```
/// assert_eq!(precip_core::prose::and_list(&["this or that", "c"]), "`this or that` and `c`");
/// ```
pub fn and_list<S: AsRef<str>>(names: &[S]) -> String {
    quoted_list(names, "and")
}

/// Returns "did you mean `a` or `b`?" with the names of `known` that are nearest to `wanted`, or
/// `None` when no name is near.
///
/// ```
/// use precip_core::prose::did_you_mean;
///
/// let question = did_you_mean("flihgts", ["flights", "weather"]);
/// assert_eq!(question.as_deref(), Some("did you mean `flights`?"));
/// assert_eq!(did_you_mean("x", ["flights", "weather"]), None);
/// ```
pub fn did_you_mean<'a>(wanted: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    suggest(&nearest_names(wanted, known))
}

/// Returns "did you mean `a` or `b`?" for names that were found with [`nearest`], or `None` when
/// there are none.
pub fn suggest<S: AsRef<str>>(near: &[S]) -> Option<String> {
    (!near.is_empty()).then(|| format!("did you mean {}?", or_list(near)))
}

/// Returns a word of a command as it is typed in a shell: in quotes where the shell would read it
/// otherwise.
///
/// ```
/// use precip_core::prose::shell_word;
///
/// assert_eq!(shell_word("2024-01-31-00:00"), "2024-01-31-00:00");
/// assert_eq!(shell_word("red|S"), "'red|S'");
/// assert_eq!(shell_word("it's"), r"'it'\''s'");
/// ```
pub fn shell_word(text: &str) -> String {
    let needs_no_quotes = |c: char| c.is_ascii_alphanumeric() || "-_.:/@+,=".contains(c);
    if !text.is_empty() && text.chars().all(needs_no_quotes) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

fn quoted_list<S: AsRef<str>>(names: &[S], conjunction: &str) -> String {
    let quoted: Vec<String> = names
        .iter()
        .map(|name| format!("`{}`", name.as_ref()))
        .collect();
    match quoted.as_slice() {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} {conjunction} {last}", first.join(", ")),
    }
}
