//! Names in SQL and in pointers.

use precip_core::{key::AssetKey, partitions::PartitionKey};
use precip_engine::io::Address;

/// Quotes an SQL identifier, whatever it contains.
pub fn quote_identifier(identifier: &str) -> String {
    format!("\"{}\"", identifier.replace('"', "\"\""))
}

/// Formats the pointer to a partition: asset and partition key, separated by `?`, which asset keys do not contain.
pub fn format_pointer(asset: &AssetKey, partition: Option<&PartitionKey>) -> String {
    match partition {
        None => asset.to_string(),
        Some(partition) => format!("{asset}?{partition}"),
    }
}

/// Parses a pointer of [`format_pointer`]; `None` when it is not one.
pub fn parse_pointer(pointer: &str) -> Option<(AssetKey, Option<PartitionKey>)> {
    let (asset, partition) = match pointer.split_once('?') {
        None => (pointer, None),
        Some((asset, partition)) => (asset, Some(partition.into())),
    };
    Some((asset.parse().ok()?, partition))
}

/// Describes an address in messages: ``asset `a`, partition `p` ``.
pub fn describe_address(address: &Address) -> String {
    match &address.partition {
        Some(partition) => format!("asset `{}`, partition `{partition}`", address.asset),
        None => format!("asset `{}`", address.asset),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_in_an_identifier_are_escaped() {
        assert_eq!(
            quote_identifier(r#"a"; DROP TABLE b; --"#),
            r#""a""; DROP TABLE b; --""#
        );
    }

    #[test]
    fn pointers_are_parsed_as_they_were_formatted() {
        let asset: AssetKey = "raw/flights".parse().unwrap();
        for key in [None, Some("2013-01-01"), Some(""), Some("a?b"), Some("'")] {
            let key = key.map(PartitionKey::from);
            let pointer = format_pointer(&asset, key.as_ref());
            assert_eq!(parse_pointer(&pointer), Some((asset.clone(), key)));
        }
        assert_eq!(parse_pointer("../outside"), None);
    }
}
