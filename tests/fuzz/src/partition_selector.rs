//! Partition selectors.

use precip_core::{partitions::PartitionKey, plan::PartitionSelector};

/// Checks that a selector is refused with a message, or means the same when it is printed and read again; and
/// that any key, printed as a selector, is that key alone.
pub fn partition_selector(text: &str) {
    match text.parse::<PartitionSelector>() {
        Ok(selector) => {
            let printed = selector.to_string();
            let again = printed.parse::<PartitionSelector>();
            assert_eq!(again.as_ref(), Ok(&selector), "printed as {printed:?}");
        }
        Err(refusal) => assert!(!refusal.to_string().is_empty()),
    }
    let key = PartitionKey::from(text);
    let printed = key.to_selector();
    assert_eq!(
        printed.parse(),
        Ok(PartitionSelector::keys([key])),
        "printed as {printed:?}"
    );
}
