//! "Did you mean ...?": the names nearest to one that does not exist.

/// How many names are worth reading in a message.
const SHOWN: usize = 3;

/// The least likeness of a name that is worth proposing, on [`strsim::jaro_winkler`]'s scale of 0 to 1.
const LIKENESS: f64 = 0.8;

/// The names most like `wanted`, the likest first, at most three. A name that is the same but for
/// upper and lower case, or but for the leading parts of its path, counts as very like.
///
/// ```
/// use precip_core::nearest::nearest;
///
/// assert_eq!(nearest("flihgts", ["flights", "weather"]), ["flights"]);
/// assert_eq!(nearest("flights", ["raw/flights", "weather"]), ["raw/flights"]);
/// assert!(nearest("x", ["flights", "weather"]).is_empty());
/// ```
pub fn nearest<'a>(wanted: &str, names: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let mut scored: Vec<(f64, &str)> = names
        .into_iter()
        .map(|name| (likeness(wanted, name), name))
        .filter(|(score, _)| *score >= LIKENESS)
        .collect();
    scored.sort_by(|(a, x), (b, y)| b.total_cmp(a).then_with(|| x.cmp(y)));
    scored.dedup_by(|a, b| a.1 == b.1);
    scored
        .into_iter()
        .take(SHOWN)
        .map(|(_, name)| name)
        .collect()
}

/// `` `a`, `b` or `c` ``, for a message. Empty when there are no names.
///
/// ```
/// assert_eq!(precip_core::nearest::or_list(&["a", "b", "c"]), "`a`, `b` or `c`");
/// ```
pub fn or_list<S: AsRef<str>>(names: &[S]) -> String {
    let quoted: Vec<String> = names
        .iter()
        .map(|name| format!("`{}`", name.as_ref()))
        .collect();
    match quoted.as_slice() {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

fn likeness(wanted: &str, name: &str) -> f64 {
    if name.eq_ignore_ascii_case(wanted) {
        return 1.0;
    }
    let last = |key: &str| {
        key.rsplit('/')
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase()
    };
    if last(wanted) == last(name) {
        return 0.99;
    }
    // A jumble of another length is not a slip of the finger, however its letters begin.
    let edits = strsim::damerau_levenshtein(wanted, name);
    let longest = wanted.chars().count().max(name.chars().count());
    if edits * 2 > longest.max(2) {
        return 0.0;
    }
    strsim::jaro_winkler(wanted, name).min(0.98)
}
