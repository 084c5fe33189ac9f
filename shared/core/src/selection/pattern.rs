//! Patterns: `*` stands for any characters, none included.

/// Whether the whole of `name` fits `pattern`.
pub(super) fn fits(pattern: &str, name: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else {
        return pattern == name;
    };
    let Some(mut left) = name.strip_prefix(head) else {
        return false;
    };
    // Each middle part is taken at its first place, which leaves the most for those that follow.
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

    use super::fits;

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
    fn fits_as_a_whole(#[case] pattern: &str, #[case] name: &str, #[case] expected: bool) {
        assert_eq!(fits(pattern, name), expected);
    }
}
