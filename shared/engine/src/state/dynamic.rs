//! What may be a key of a dynamic partitions definition.

use precip_core::partitions::PartitionKey;

use crate::state::{StateError, StateErrorKind};

/// Refuses keys that no dynamic partition may have.
///
/// # Errors
/// `Conflict` for an empty key, and for a key with a control character, which no path and no command
/// line can carry.
pub fn check_dynamic_keys(set: &str, keys: &[PartitionKey]) -> Result<(), StateError> {
    let refused = keys
        .iter()
        .map(PartitionKey::as_str)
        .find(|key| key.is_empty() || key.contains(char::is_control));
    match refused {
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
