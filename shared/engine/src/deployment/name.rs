//! Names of executions. Step Functions accepts a name once in 90 days, so equal names keep a
//! request from being executed twice.

use sha2::{Digest, Sha256};

use crate::{hex::to_hex, run_id::RunId};

/// The maximum length of a name, in characters.
///
/// Source: <https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html>
pub const MAX_NAME_LEN: usize = 80;

/// The number of a key's characters that its name repeats for readability.
const SHOWN: usize = 32;

/// Returns the name of the execution for a request with a run key. Equal keys have equal names, and
/// different keys have different ones. No such name parses as a run id.
///
/// ```
/// use precip_engine::deployment::execution_name;
///
/// let name = execution_name("nightly 2013-01-31");
/// assert!(name.starts_with("key-nightly_2013-01-31-"));
/// assert_ne!(name, execution_name("nightly_2013-01-31"));
/// ```
pub fn execution_name(key: &str) -> String {
    let shown: String = key
        .chars()
        .take(SHOWN)
        .map(|c| match c {
            c if c.is_ascii_alphanumeric() || c == '-' => c,
            _ => '_',
        })
        .collect();
    // The readable part loses characters; the digest keeps names of different keys apart.
    let digest = to_hex(&Sha256::digest(key)[..8]);
    format!("key-{shown}-{digest}")
}

/// Returns another name for a request with a run key, for use when the first name belongs to an
/// execution that created no run (invalid input, or nothing to do). `id` must be new.
pub fn retry_execution_name(key: &str, id: RunId) -> String {
    format!("{}-{id}", execution_name(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_valid_for_every_key() {
        let id: RunId = "01JDC0Z5V9M3T8Q4W2X7Y6R1KA".parse().unwrap();
        let long = "x".repeat(500);
        for key in ["", "a/b:c", "Zürich ☂", "01JDC0Z5V9M3T8Q4W2X7Y6R1KA", &long] {
            for name in [execution_name(key), retry_execution_name(key, id)] {
                let fits = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
                assert!(name.chars().all(fits), "{name}");
                assert!(name.len() <= MAX_NAME_LEN, "{name}");
                assert!(name.parse::<RunId>().is_err(), "{name}");
            }
        }
    }

    #[test]
    fn similar_keys_have_different_names() {
        let long = "x".repeat(40);
        let longer = "x".repeat(41);
        assert_ne!(execution_name(&long), execution_name(&longer));
        assert_ne!(execution_name("a b"), execution_name("a_b"));
        assert_eq!(execution_name("a b"), execution_name("a b"));
    }
}
