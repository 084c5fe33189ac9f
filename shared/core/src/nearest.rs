//! "Did you mean ...?": the names nearest to one that does not exist.

/// The most names to suggest in one message.
const MAX_SUGGESTIONS: usize = 3;

/// The least likeness of a suggested name, on [`strsim::jaro_winkler`]'s scale of 0 to 1.
const MIN_LIKENESS: f64 = 0.8;

/// Returns up to three names similar to `wanted`, best match first. Names that differ only in case,
/// or only in the leading parts of their path, count as near matches.
///
/// ```
/// use precip_core::nearest::nearest_names;
///
/// assert_eq!(nearest_names("flihgts", ["flights", "weather"]), ["flights"]);
/// assert_eq!(nearest_names("flights", ["raw/flights", "weather"]), ["raw/flights"]);
/// assert!(nearest_names("x", ["flights", "weather"]).is_empty());
/// ```
pub fn nearest_names<'a>(wanted: &str, names: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let mut scored: Vec<(f64, &str)> = names
        .into_iter()
        .map(|name| (likeness(wanted, name), name))
        .filter(|(score, _)| *score >= MIN_LIKENESS)
        .collect();
    scored.sort_by(|(a, x), (b, y)| b.total_cmp(a).then_with(|| x.cmp(y)));
    scored.dedup_by(|a, b| a.1 == b.1);
    scored
        .into_iter()
        .take(MAX_SUGGESTIONS)
        .map(|(_, name)| name)
        .collect()
}

fn likeness(wanted: &str, name: &str) -> f64 {
    if name.eq_ignore_ascii_case(wanted) {
        return 1.0;
    }
    let last_part = |key: &str| {
        key.rsplit('/')
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase()
    };
    if last_part(wanted) == last_part(name) {
        return 0.99;
    }
    // Jaro-Winkler favours a common prefix. Too many edits are no typing error, whatever the
    // prefix.
    let edits = strsim::damerau_levenshtein(wanted, name);
    let longest = wanted.chars().count().max(name.chars().count());
    if edits * 2 > longest.max(2) {
        return 0.0;
    }
    strsim::jaro_winkler(wanted, name).min(0.98)
}
