//! Names of projects and of what is added to them.

use crate::template::Deploy;

/// Longest name of a project: it is part of the names of resources on AWS.
const LONGEST: usize = 40;

/// Names that a package cannot have: crates that come with Rust, dependencies of the templates, and folders and
/// binaries that cargo writes to the same place.
const TAKEN: [&str; 18] = [
    "alloc",
    "build",
    "core",
    "csv",
    "deps",
    "examples",
    "incremental",
    "precip",
    "precip-duckdb",
    "precip-snowflake",
    "proc-macro",
    "proc_macro",
    "self",
    "serde",
    "std",
    "super",
    "test",
    "tokio",
];

/// Names of the functions that run on AWS, which are binaries of the project.
const FUNCTIONS: [&str; 5] = [
    "planner",
    "materializer",
    "materializer-sql",
    "reactor",
    "sensor",
];

/// The reason why a name cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidName {
    /// It has characters that names cannot have.
    #[error(
        "`{name}` is no name of a project; write lower-case letters, digits, `-` and `_`, a letter first"
    )]
    Project { name: String },
    /// It is too long.
    #[error("`{name}` has {} characters; write at most {LONGEST}, since the names of resources on AWS begin with it", name.len())]
    Long { name: String },
    /// It is a keyword of Rust.
    #[error("`{name}` is a keyword of Rust; choose another name")]
    Keyword { name: String },
    /// It is the name of something else.
    #[error("`{name}` cannot be the name of a project, since {owner} has it; choose another name")]
    Taken { name: String, owner: &'static str },
    /// It is no name of a function.
    #[error(
        "`{name}` is no name of {kind}; write lower-case letters, digits and `_`, a letter first"
    )]
    Item { name: String, kind: &'static str },
}

/// The valid name of a project, which is the name of its package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ProjectName(String);

impl ProjectName {
    /// Parses the name of a project.
    ///
    /// # Errors
    /// [`InvalidName`], which says what to write instead.
    pub(crate) fn parse(name: &str, deploy: Deploy) -> Result<Self, InvalidName> {
        let name = name.to_owned();
        if !is_word(&name, |c| matches!(c, '-' | '_')) {
            return Err(InvalidName::Project { name });
        }
        if name.len() > LONGEST {
            return Err(InvalidName::Long { name });
        }
        if is_keyword(&name) {
            return Err(InvalidName::Keyword { name });
        }
        if TAKEN.contains(&name.as_str()) {
            let owner = "cargo or a dependency of the project";
            return Err(InvalidName::Taken { name, owner });
        }
        if deploy.is_aws() && FUNCTIONS.contains(&name.as_str()) {
            let owner = "a function of the deployment";
            return Err(InvalidName::Taken { name, owner });
        }
        Ok(Self(name))
    }

    /// Returns the name of the package.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the name of the library in Rust code.
    pub(crate) fn to_crate_name(&self) -> String {
        self.0.replace('-', "_")
    }
}

/// Checks the name of an asset, a check, a sensor or a schedule, which is the name of its function.
///
/// # Errors
/// [`InvalidName`], which says what to write instead.
pub(crate) fn check_item_name(name: &str, kind: &'static str) -> Result<(), InvalidName> {
    let name = name.to_owned();
    if !is_word(&name, |c| c == '_') {
        return Err(InvalidName::Item { name, kind });
    }
    if is_keyword(&name) {
        return Err(InvalidName::Keyword { name });
    }
    Ok(())
}

fn is_word(name: &str, is_other: impl Fn(char) -> bool) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || is_other(c))
}

fn is_keyword(name: &str) -> bool {
    // `syn` reads identifiers of all editions; `gen` is a keyword since 2024.
    !name.contains('-') && (name == "gen" || syn::parse_str::<syn::Ident>(name).is_err())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(name: &str, deploy: Deploy) -> String {
        ProjectName::parse(name, deploy).unwrap_err().to_string()
    }

    #[test]
    fn a_project_is_named_like_a_package() {
        for name in ["shop", "web-shop", "web_shop2", "s", &"a".repeat(40)] {
            let parsed = ProjectName::parse(name, Deploy::Sam).unwrap();
            assert_eq!(parsed.as_str(), name);
        }
        let name = ProjectName::parse("web-shop", Deploy::None).unwrap();
        assert_eq!(name.to_crate_name(), "web_shop");
        for name in [
            "", "2shop", "-shop", "_shop", "Shop", "my shop", "sh/op", "shöp", "..",
        ] {
            let expected = format!(
                "`{name}` is no name of a project; write lower-case letters, digits, `-` and `_`, a letter first"
            );
            assert_eq!(message(name, Deploy::None), expected);
        }
        assert!(
            message(&"a".repeat(41), Deploy::None).contains("has 41 characters; write at most 40")
        );
    }

    #[test]
    fn keywords_and_names_of_others_are_refused() {
        for keyword in ["match", "async", "gen", "yield", "crate", "try"] {
            let expected = format!("`{keyword}` is a keyword of Rust; choose another name");
            assert_eq!(message(keyword, Deploy::None), expected);
        }
        for taken in ["precip", "serde", "test", "std", "deps", "proc-macro"] {
            assert!(message(taken, Deploy::None).contains("a dependency of the project has it"));
        }
        // A function is a binary beside the project's own.
        assert!(message("sensor", Deploy::CdkPy).contains("a function of the deployment has it"));
        assert!(ProjectName::parse("sensor", Deploy::None).is_ok());
    }

    #[test]
    fn an_item_is_named_like_a_function() {
        for name in ["orders", "orders_2", "o"] {
            assert_eq!(check_item_name(name, "an asset"), Ok(()));
        }
        for name in ["", "raw/orders", "daily-orders", "Orders", "1st", "_x"] {
            let error = check_item_name(name, "an asset").unwrap_err();
            let expected = format!(
                "`{name}` is no name of an asset; write lower-case letters, digits and `_`, a letter first"
            );
            assert_eq!(error.to_string(), expected);
        }
        let error = check_item_name("type", "an asset").unwrap_err();
        assert_eq!(
            error.to_string(),
            "`type` is a keyword of Rust; choose another name"
        );
    }
}
