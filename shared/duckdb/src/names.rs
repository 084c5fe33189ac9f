//! Names in SQL.

use precip_core::key::AssetKey;
use precip_io::tables::quoted;

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_named_as_its_asset() {
        let name = |asset: &str| TableName::of(&asset.parse().unwrap()).quoted();
        assert_eq!(name("carriers"), r#""main"."carriers""#);
        assert_eq!(name("raw/flights"), r#""raw"."flights""#);
        assert_eq!(name("a/b/c"), r#""a/b"."c""#);
    }
}
