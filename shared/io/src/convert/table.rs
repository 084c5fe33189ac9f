//! Tables as they are.

use arrow_array::RecordBatch;
use arrow_schema::Schema;
use precip_engine::asset::{AssetValue, InputNeeds, LoadedInput};
use std::sync::Arc;

use super::{
    ConvertError, FromAsset, IntoAsset,
    from_asset::{builtin_values, types_for, wrong_form},
};
use crate::{Table, Value, table::describe_columns};

impl IntoAsset for Table {
    fn into_asset(self) -> Result<AssetValue, ConvertError> {
        Ok(Value::Table(self).into())
    }
}

impl IntoAsset for RecordBatch {
    fn into_asset(self) -> Result<AssetValue, ConvertError> {
        Ok(Value::Table(self.into()).into())
    }
}

impl FromAsset for Table {
    fn needs() -> InputNeeds {
        InputNeeds {
            many: true,
            ..InputNeeds::default()
        }
    }

    fn from_asset(input: LoadedInput) -> Result<Self, ConvertError> {
        let asset = input.asset.clone();
        let mut all: Option<Self> = None;
        for (partition, value) in builtin_values::<Self>(input)? {
            let table = match value {
                Value::Table(table) => table,
                other => {
                    return Err(wrong_form::<Self>(other.form(), types_for(other.form()))
                        .at(&asset, partition.as_ref()));
                }
            };
            // Partitions are concatenated batch by batch, without copying rows.
            all = Some(match all {
                None => table,
                Some(before) => append_table(before, table)
                    .map_err(|error| error.at(&asset, partition.as_ref()))?,
            });
        }
        Ok(all.unwrap_or_else(|| Self::empty(Arc::new(Schema::empty()))))
    }
}

fn append_table(before: Table, more: Table) -> Result<Table, ConvertError> {
    if before.schema().fields() != more.schema().fields() {
        return Err(ConvertError::new(format!(
            "its columns ({}) are not those of the partitions before it ({}); take `Partitions<Table>`, or materialize the older ones again",
            describe_columns(more.schema()),
            describe_columns(before.schema()),
        )));
    }
    let schema = Arc::clone(before.schema());
    let batches = [before.batches(), more.batches()].concat();
    Table::new(schema, batches).map_err(|error| ConvertError::new(error.to_string()))
}
