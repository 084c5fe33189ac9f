//! Validation of the keys of dynamic partitions definitions.

use precip_core::partitions::{DynamicPartitions, PartitionKey};

use crate::state::{StateError, StateErrorKind};

/// Rejects keys that no dynamic partition may have.
///
/// # Errors
/// `Conflict` with the first [`InvalidDynamicKey`](precip_core::partitions::InvalidDynamicKey).
pub fn check_dynamic_keys(set: &str, keys: &[PartitionKey]) -> Result<(), StateError> {
    let definition = DynamicPartitions::new(set);
    let mut keys = keys.iter();
    keys.try_for_each(|key| definition.check_key(key.as_str()))
        .map_err(|invalid| StateError::new(StateErrorKind::Conflict, invalid.to_string()))
}
