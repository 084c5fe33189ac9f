//! Names of executions. Step Functions takes a name once in 90 days, so equal names are what keeps
//! one request from being carried out twice.

use sha2::{Digest, Sha256};

use crate::run_id::RunId;

/// How many characters a name may have.
///
/// Source: <https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html>
pub const MAX_NAME: usize = 80;

/// How much of a key a name repeats, for a person to read.
const SHOWN: usize = 32;

/// The name of the execution of a request that was made under a key. Equal keys give equal names,
/// different keys different ones. No such name reads as a run id.
///
/// ```
/// use precip_engine::deployment::name_of_key;
///
/// let name = name_of_key("nightly 2013-01-31");
/// assert!(name.starts_with("key-nightly_2013-01-31-"));
/// assert_ne!(name, name_of_key("nightly_2013-01-31"));
/// ```
pub fn name_of_key(key: &str) -> String {
    let shown: String = key
        .chars()
        .take(SHOWN)
        .map(|c| match c {
            c if c.is_ascii_alphanumeric() || c == '-' => c,
            _ => '_',
        })
        .collect();
    let digest = Sha256::digest(key);
    let digest: String = digest
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("key-{shown}-{digest}")
}

/// A further name for a request under a key, when the first one is spent on an execution that made no
/// run: its input made no sense, or there was nothing to do. `id` is new.
pub fn name_of_key_again(key: &str, id: RunId) -> String {
    format!("{}-{id}", name_of_key(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit_whatever_the_key() {
        let id: RunId = "01JDC0Z5V9M3T8Q4W2X7Y6R1KA".parse().unwrap();
        let long = "x".repeat(500);
        for key in ["", "a/b:c", "Zürich ☂", "01JDC0Z5V9M3T8Q4W2X7Y6R1KA", &long] {
            for name in [name_of_key(key), name_of_key_again(key, id)] {
                let fits = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
                assert!(name.chars().all(fits), "{name}");
                assert!(name.len() <= MAX_NAME, "{name}");
                assert!(name.parse::<RunId>().is_err(), "{name}");
            }
        }
    }

    #[test]
    fn keys_that_look_alike_have_names_of_their_own() {
        let long = "x".repeat(40);
        let longer = "x".repeat(41);
        assert_ne!(name_of_key(&long), name_of_key(&longer));
        assert_ne!(name_of_key("a b"), name_of_key("a_b"));
        assert_eq!(name_of_key("a b"), name_of_key("a b"));
    }
}
