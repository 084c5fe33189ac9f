//! Moments as text.

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_cast::cast;
use arrow_schema::{ArrowError, DataType, Field, FieldRef, Fields, Schema, SchemaRef};

use crate::Table;

/// The table with every moment in UTC. A text has hours and minutes of an offset, and zones had offsets
/// with seconds before they had standard time: such a moment would be read back as another.
pub(crate) fn in_utc(table: &Table) -> Result<Table, ArrowError> {
    let fields = all(table.schema().fields());
    if fields == *table.schema().fields() {
        return Ok(table.clone());
    }
    let schema: SchemaRef = Arc::new(Schema::new(fields));
    let batches = table
        .batches()
        .iter()
        .map(|batch| {
            let columns = batch.columns().iter().zip(schema.fields());
            let columns = columns.map(|(column, field)| cast(column, field.data_type()));
            RecordBatch::try_new(Arc::clone(&schema), columns.collect::<Result<_, _>>()?)
        })
        .collect::<Result<_, _>>()?;
    Table::new(schema, batches)
}

fn all(fields: &Fields) -> Fields {
    fields.iter().map(one).collect()
}

fn one(field: &FieldRef) -> FieldRef {
    let data_type = match field.data_type() {
        DataType::Timestamp(unit, Some(_)) => DataType::Timestamp(*unit, Some("UTC".into())),
        DataType::List(item) => DataType::List(one(item)),
        DataType::LargeList(item) => DataType::LargeList(one(item)),
        DataType::FixedSizeList(item, size) => DataType::FixedSizeList(one(item), *size),
        DataType::Struct(fields) => DataType::Struct(all(fields)),
        DataType::Map(entries, sorted) => DataType::Map(one(entries), *sorted),
        other => other.clone(),
    };
    Arc::new(Field::clone(field).with_data_type(data_type))
}
