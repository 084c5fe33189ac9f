//! Names in SQL.

use precip_core::key::AssetKey;
use precip_io::tables::quote_identifier;

/// The column of the partition key. Tables of assets without partitions do not have it.
pub(crate) const PARTITION_COLUMN: &str = "_partition";
/// The schema of the notes about assets and partitions.
pub(crate) const NOTES_SCHEMA: &str = "_precip";

/// The name of an asset's table: `raw/flights` is `raw.flights`, and `carriers` is `main.carriers`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TableName {
    pub(crate) schema: String,
    pub(crate) table: String,
}

impl TableName {
    /// Returns the name of the table of an asset.
    pub(crate) fn for_asset(asset: &AssetKey) -> Self {
        let (schema, table) = match asset.as_str().rsplit_once('/') {
            Some((schema, table)) => (schema, table),
            None => ("main", asset.as_str()),
        };
        Self {
            schema: schema.to_owned(),
            table: table.to_owned(),
        }
    }

    /// Returns the name as an SQL identifier.
    pub(crate) fn quoted_name(&self) -> String {
        format!(
            "{}.{}",
            quote_identifier(&self.schema),
            quote_identifier(&self.table)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_named_as_its_asset() {
        let name = |asset: &str| TableName::for_asset(&asset.parse().unwrap()).quoted_name();
        assert_eq!(name("carriers"), r#""main"."carriers""#);
        assert_eq!(name("raw/flights"), r#""raw"."flights""#);
        assert_eq!(name("a/b/c"), r#""a/b"."c""#);
    }
}
