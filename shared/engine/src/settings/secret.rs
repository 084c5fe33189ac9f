//! [`Secret`].

use std::{any::type_name, fmt, marker::PhantomData, str::FromStr};

/// A value that must not be shown: it prints as `Secret(..)`, and has no `Display`.
///
/// ```
/// use precip_engine::settings::Secret;
///
/// let password = Secret::new(String::from("hunter2"));
/// assert_eq!(format!("{password:?}"), "Secret(..)");
/// assert_eq!(password.expose(), "hunter2");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Secret<T = String>(T);

impl<T> Secret<T> {
    /// Wraps a value.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// Returns the value, for the call that needs it.
    pub fn expose(&self) -> &T {
        &self.0
    }
}

impl<T: FromStr> FromStr for Secret<T> {
    type Err = InvalidSecret<T>;

    fn from_str(value: &str) -> Result<Self, Self::Err> {
        // The parser's own error is dropped, since it may quote the value.
        value
            .parse()
            .map(Self)
            .map_err(|_| InvalidSecret(PhantomData))
    }
}

/// The error of a secret that cannot be parsed. It names the type, and holds nothing of the value.
pub struct InvalidSecret<T>(PhantomData<fn() -> T>);

impl<T> fmt::Display for InvalidSecret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "it is not a valid `{}`", type_name::<T>())
    }
}

impl<T> fmt::Debug for InvalidSecret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "InvalidSecret(it is not a valid `{}`)", type_name::<T>())
    }
}

impl<T> std::error::Error for InvalidSecret<T> {}

/// Returns `true` if values of a type may hold a [`Secret`]: the name of the type, or of the error of its parser,
/// contains one of them.
pub(super) fn may_hold_secret<T: FromStr>() -> bool {
    [type_name::<T>(), type_name::<T::Err>()]
        .into_iter()
        .any(|name| {
            let marks = [type_name::<Secret<()>>(), type_name::<InvalidSecret<()>>()];
            marks
                .into_iter()
                .any(|mark| name.contains(mark.trim_end_matches("()>")))
        })
}

/// Returns the name of a type, or of the type that a [`Secret`] wraps.
pub(super) fn type_within<T>() -> &'static str {
    let name = type_name::<T>();
    let mark = type_name::<Secret<()>>().trim_end_matches("()>");
    let within = name.strip_prefix(mark);
    within
        .and_then(|name| name.strip_suffix('>'))
        .unwrap_or(name)
}

/// Returns `true` if a type is one of the standard library, such as a number, whose value may be shown in a
/// message. A value of any other type, such as a URL, may contain a password.
pub(super) fn is_plain<T>() -> bool {
    type_name::<T>()
        .split(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'))
        .filter(|path| path.contains("::"))
        .all(|path| {
            ["core::", "alloc::", "std::"]
                .iter()
                .any(|root| path.starts_with(root))
        })
}

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}
