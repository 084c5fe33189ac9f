//! Names in SQL.

use precip_core::{key::AssetKey, partitions::PartitionKey};

/// The column that says which partition a row is of. Not in the table of an asset without partitions.
pub(crate) const PARTITION: &str = "_partition";
/// The schema of what this crate notes down.
pub(crate) const NOTES: &str = "_precip";

/// The table of an asset: `raw/flights` is `raw.flights`, and `carriers` is `main.carriers`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TableName {
    pub(crate) schema: String,
    pub(crate) table: String,
}

impl TableName {
    pub(crate) fn of(asset: &AssetKey) -> Self {
        let (schema, table) = match asset.as_str().rsplit_once('/') {
            Some((schema, table)) => (schema, table),
            None => ("main", asset.as_str()),
        };
        Self {
            schema: schema.to_owned(),
            table: table.to_owned(),
        }
    }

    /// As it is written in a statement.
    pub(crate) fn quoted(&self) -> String {
        format!("{}.{}", quoted(&self.schema), quoted(&self.table))
    }
}

/// An identifier as it is written in a statement, whatever is in it.
pub(crate) fn quoted(identifier: &str) -> String {
    format!("\"{}\"", identifier.replace('"', "\"\""))
}

/// What a pointer says: the asset and the partition. A key of an asset has no `?`.
pub(crate) fn pointer(asset: &AssetKey, partition: Option<&PartitionKey>) -> String {
    match partition {
        None => asset.to_string(),
        Some(partition) => format!("{asset}?{partition}"),
    }
}

/// The asset and the partition of a pointer.
pub(crate) fn parse(pointer: &str) -> Option<(AssetKey, Option<PartitionKey>)> {
    let (asset, partition) = match pointer.split_once('?') {
        None => (pointer, None),
        Some((asset, partition)) => (asset, Some(partition.into())),
    };
    Some((asset.parse().ok()?, partition))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_named_as_its_asset_and_nothing_in_a_name_ends_it() {
        let name = |asset: &str| TableName::of(&asset.parse().unwrap()).quoted();
        assert_eq!(name("carriers"), r#""main"."carriers""#);
        assert_eq!(name("raw/flights"), r#""raw"."flights""#);
        assert_eq!(name("a/b/c"), r#""a/b"."c""#);
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
            assert_eq!(parse(&pointer), Some((asset.clone(), key)));
        }
        assert_eq!(parse("../outside"), None);
    }
}
