use std::{collections::BTreeMap, fmt, net::IpAddr, num::NonZeroU16, str::FromStr};

use super::{Secret, Setting, env, secret};

/// The value of every setting here: no message may contain it, or a part of it.
const VALUE: &str = "hunter2";

/// A type whose parser quotes the value.
#[derive(Debug, Clone)]
struct Quoting;

impl FromStr for Quoting {
    type Err = String;

    fn from_str(value: &str) -> Result<Self, String> {
        Err(format!("`{value}` is wrong"))
    }
}

/// A list with separators, of any values.
#[derive(Debug, Clone)]
struct List<T>(#[expect(dead_code, reason = "only shown")] Vec<T>);

impl<T: FromStr> FromStr for List<T> {
    type Err = Wrapped<T::Err>;

    fn from_str(value: &str) -> Result<Self, Self::Err> {
        let items = value.split(',').map(str::parse).collect::<Result<_, _>>();
        items
            .map(List)
            .map_err(|error| Wrapped(error, value.to_owned()))
    }
}

struct Wrapped<E>(E, String);

impl<E> fmt::Display for Wrapped<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is no list", self.1)
    }
}

/// A type of the project that holds a secret; only the error of its parser shows it.
#[derive(Debug, Clone)]
struct Login(#[expect(dead_code, reason = "never parsed successfully")] Secret<u32>);

impl FromStr for Login {
    type Err = Wrapped<<Secret<u32> as FromStr>::Err>;

    fn from_str(value: &str) -> Result<Self, Self::Err> {
        let parsed = value.parse().map(Login);
        parsed.map_err(|error| Wrapped(error, value.to_owned()))
    }
}

fn message_of<T: Clone>(setting: &Setting<T>) -> String {
    let reader = BTreeMap::from([("KEY".to_owned(), VALUE.to_owned())]);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let error = runtime.block_on(setting.read_value(&reader));
    error.map(drop).unwrap_err().to_string()
}

#[test]
fn no_message_shows_the_value_of_a_typed_secret() {
    let secrets = [
        (message_of(&env("KEY").parse::<Secret<u32>>()), "u32"),
        (
            message_of(&env("KEY").parse::<Secret<u32>>().or(Secret::new(1))),
            "u32",
        ),
        (
            message_of(&env("KEY").parse::<Secret<Quoting>>()),
            "Quoting",
        ),
        (
            message_of(&env("KEY").optional::<Secret<Quoting>>()),
            "Quoting",
        ),
        (
            message_of(&env("KEY").parse::<Secret<Secret<Quoting>>>()),
            "Quoting",
        ),
        (message_of(&env("KEY").parse::<List<Secret<u32>>>()), "List"),
        (
            message_of(&env("KEY").optional::<List<Secret<IpAddr>>>()),
            "List",
        ),
        (message_of(&env("KEY").parse::<Login>()), "Login"),
        (
            message_of(&env("KEY").secret().parse::<Quoting>()),
            "Quoting",
        ),
        (message_of(&secret("KEY").parse::<u32>()), "u32"),
        (message_of(&secret("KEY").parse::<Quoting>()), "Quoting"),
    ];
    for (message, type_name) in secrets {
        assert!(!message.contains("hunter"), "{message}");
        assert!(
            message.contains("not shown: it is not a valid `"),
            "{message}"
        );
        assert!(message.contains(type_name), "{message}");
    }
    assert_eq!(
        message_of(&secret("KEY").parse::<u32>()),
        "secret `KEY` has an invalid value, which is not shown: it is not a valid `u32`"
    );
    let error = VALUE.parse::<Secret<Quoting>>().unwrap_err();
    assert!(!format!("{error} {error:?}").contains("hunter"));
}

#[test]
fn a_typed_secret_is_declared_as_one() {
    assert!(env("KEY").parse::<Secret<u32>>().spec().secret);
    assert!(env("KEY").optional::<Secret<u32>>().spec().secret);
    assert!(env("KEY").parse::<List<Secret<u32>>>().spec().secret);
    assert!(env("KEY").parse::<Login>().spec().secret);
    assert!(secret("KEY").parse::<u32>().spec().secret);
    assert!(!env("KEY").parse::<u32>().spec().secret);
    assert!(!env("KEY").parse::<Quoting>().spec().secret);
}

#[test]
fn values_of_the_standard_librarys_types_are_shown_and_no_others() {
    assert_eq!(
        message_of(&env("KEY").parse::<u32>()),
        "environment variable `KEY` is `hunter2`: invalid digit found in string"
    );
    for message in [
        message_of(&env("KEY").parse::<bool>()),
        message_of(&env("KEY").optional::<NonZeroU16>()),
        message_of(&env("KEY").parse::<IpAddr>()),
    ] {
        assert!(message.contains("is `hunter2`: "), "{message}");
    }
    // The parser of a project's own type decides what its message shows.
    assert_eq!(
        message_of(&env("KEY").parse::<List<u32>>()),
        "environment variable `KEY` has an invalid value, which is not shown: `hunter2` is no list"
    );
}

#[test]
fn debug_shows_no_default_of_a_secret() {
    let typed = env("KEY")
        .parse::<Secret<String>>()
        .or(Secret::new(VALUE.to_owned()));
    let text = env("KEY").or(VALUE).secret();
    assert!(!format!("{typed:?} {text:?}").contains("hunter"));
}
