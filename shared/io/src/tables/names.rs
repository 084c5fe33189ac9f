//! Names in SQL and in pointers.

use precip_core::{key::AssetKey, partitions::PartitionKey};
use precip_engine::io::Address;

/// An identifier as it is written in a statement, whatever is in it.
pub fn quoted(identifier: &str) -> String {
    format!("\"{}\"", identifier.replace('"', "\"\""))
}

/// What a pointer says: the asset and the partition. A key of an asset has no `?`.
pub fn pointer(asset: &AssetKey, partition: Option<&PartitionKey>) -> String {
    match partition {
        None => asset.to_string(),
        Some(partition) => format!("{asset}?{partition}"),
    }
}

/// The asset and the partition of a [`pointer`]; `None` when it is none.
pub fn parse_pointer(pointer: &str) -> Option<(AssetKey, Option<PartitionKey>)> {
    let (asset, partition) = match pointer.split_once('?') {
        None => (pointer, None),
        Some((asset, partition)) => (asset, Some(partition.into())),
    };
    Some((asset.parse().ok()?, partition))
}

/// ``asset `a`, partition `p` ``, for messages.
pub fn whose(address: &Address) -> String {
    match &address.partition {
        Some(partition) => format!("asset `{}`, partition `{partition}`", address.asset),
        None => format!("asset `{}`", address.asset),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_name_ends_it() {
        assert_eq!(
            quoted(r#"a"; DROP TABLE b; --"#),
            r#""a""; DROP TABLE b; --""#
        );
    }

    #[test]
    fn a_pointer_leads_back() {
        let asset: AssetKey = "raw/flights".parse().unwrap();
        for key in [None, Some("2013-01-01"), Some(""), Some("a?b"), Some("'")] {
            let key = key.map(PartitionKey::from);
            let pointer = pointer(&asset, key.as_ref());
            assert_eq!(parse_pointer(&pointer), Some((asset.clone(), key)));
        }
        assert_eq!(parse_pointer("../outside"), None);
    }
}
