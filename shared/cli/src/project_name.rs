//! The name of the project that a command line belongs to.

/// Returns the name of the crate that declares the function `D`, as Cargo writes package names: with `-`
/// instead of `_`. `None` when `D` is a function pointer, whose type names no crate.
pub(crate) fn name_of_crate<D>() -> Option<String> {
    parse_crate_name(std::any::type_name::<D>())
}

/// Returns the crate in the name of a function's type, such as `web_shop::definitions`.
fn parse_crate_name(type_name: &str) -> Option<String> {
    let (name, _) = type_name.split_once("::")?;
    let is_identifier = !name.is_empty() && name.chars().all(|c| c == '_' || c.is_alphanumeric());
    is_identifier.then(|| name.replace('_', "-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn declared_here() {}

    fn name_of_crate_of<D>(_: D) -> Option<String> {
        name_of_crate::<D>()
    }

    #[test]
    fn functions_and_closures_are_named_after_their_crate() {
        let expected = Some("precip-cli".to_owned());
        assert_eq!(name_of_crate_of(declared_here), expected);
        assert_eq!(name_of_crate_of(|| ()), expected);
    }

    #[test]
    fn a_function_pointer_names_no_crate() {
        assert_eq!(name_of_crate_of(declared_here as fn()), None);
        let text = "fn() -> core::result::Result<u8, web_shop::Error>";
        assert_eq!(parse_crate_name(text), None);
    }
}
