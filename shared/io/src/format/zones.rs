//! Times with zones, written as text.

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_cast::cast;
use arrow_schema::{ArrowError, DataType, Field, FieldRef, Fields, Schema, SchemaRef};

use crate::Table;

/// Converts every time with a zone to UTC. Text has the hours and minutes of an offset only, and zones had offsets
/// with seconds before standard time: such a time would be read back as another.
pub(crate) fn in_utc(table: &Table) -> Result<Table, ArrowError> {
    let fields = fields_in_utc(table.schema().fields());
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

fn fields_in_utc(fields: &Fields) -> Fields {
    fields.iter().map(field_in_utc).collect()
}

fn field_in_utc(field: &FieldRef) -> FieldRef {
    let data_type = match field.data_type() {
        DataType::Timestamp(unit, Some(_)) => DataType::Timestamp(*unit, Some("UTC".into())),
        DataType::List(item) => DataType::List(field_in_utc(item)),
        DataType::LargeList(item) => DataType::LargeList(field_in_utc(item)),
        DataType::FixedSizeList(item, size) => DataType::FixedSizeList(field_in_utc(item), *size),
        DataType::Struct(fields) => DataType::Struct(fields_in_utc(fields)),
        DataType::Map(entries, sorted) => DataType::Map(field_in_utc(entries), *sorted),
        other => other.clone(),
    };
    Arc::new(Field::clone(field).with_data_type(data_type))
}
