//! Patterns in which `*` matches any characters, or none.

/// Returns true if `pattern` matches all of `name`.
pub(super) fn matches_pattern(pattern: &str, name: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else {
        return pattern == name;
    };
    let Some(mut left) = name.strip_prefix(head) else {
        return false;
    };
    // Matching each middle part at its first occurrence leaves the most text for the following
    // ones.
    let (middle, tail) = rest.rsplit_once('*').unwrap_or(("", rest));
    for part in middle.split('*') {
        match left.find(part) {
            Some(at) => left = &left[at + part.len()..],
            None => return false,
        }
    }
    left.ends_with(tail)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::matches_pattern;

    #[rstest]
    #[case("a", "a", true)]
    #[case("a", "ab", false)]
    #[case("*", "", true)]
    #[case("a*a", "a", false)]
    #[case("a*a", "aa", true)]
    #[case("*b*", "abc", true)]
    #[case("a*b*c", "a/b/b/c", true)]
    #[case("a*bc*bc", "abc", false)]
    #[case("**", "x", true)]
    #[case("", "", true)]
    fn patterns_match_the_whole_name(
        #[case] pattern: &str,
        #[case] name: &str,
        #[case] expected: bool,
    ) {
        assert_eq!(matches_pattern(pattern, name), expected);
    }
}
