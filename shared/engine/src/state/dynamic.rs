//! Validation of the keys of dynamic partitions definitions.

use precip_core::partitions::PartitionKey;

use crate::state::{StateError, StateErrorKind};

/// Rejects keys that no dynamic partition may have.
///
/// # Errors
/// `Conflict` for an empty key or one with a control character, which neither a path nor a command line
/// can carry.
pub fn check_dynamic_keys(set: &str, keys: &[PartitionKey]) -> Result<(), StateError> {
    let rejected = keys
        .iter()
        .map(PartitionKey::as_str)
        .find(|key| key.is_empty() || key.contains(char::is_control));
    match rejected {
        Some(key) => Err(StateError::new(
            StateErrorKind::Conflict,
            format!(
                "{key:?} cannot be a partition of `{set}`: write at least one character, and no \
                 control characters"
            ),
        )),
        None => Ok(()),
    }
}
