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
