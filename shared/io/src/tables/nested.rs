//! Nested columns as JSON texts, for databases that store them so.

use std::{io::Cursor, sync::Arc};

use arrow_array::{Array, ArrayRef, RecordBatch, StringArray};
use arrow_json::{ReaderBuilder, WriterBuilder, writer::LineDelimited};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef};

use crate::{
    Table,
    format::{check_objects, find_in_column, in_utc},
};

/// Name of the column in the JSON objects.
const COLUMN: &str = "v";

/// Formats each value of a column as JSON. A missing value has no text. [`from_json`] reads the texts.
///
/// # Errors
/// [`ArrowError::InvalidArgumentError`] when a value would be read back differently, such as one with a NaN in it.
pub fn to_json(column: &ArrayRef) -> Result<StringArray, ArrowError> {
    if let Some(found) = find_in_column("", column)? {
        return Err(ArrowError::InvalidArgumentError(format!(
            "JSON cannot hold {} in row {} of a nested column, in its part `{}`",
            found.number, found.row, found.column
        )));
    }
    let schema = column_schema(column.data_type());
    let batch = RecordBatch::try_new(schema, vec![Arc::clone(column)])?;
    let mut lines = WriterBuilder::new()
        .with_explicit_nulls(true)
        .build::<_, LineDelimited>(Vec::new());
    for batch in in_utc(&Table::from(batch))?.batches() {
        lines.write(batch)?;
    }
    lines.finish()?;
    let json = String::from_utf8(lines.into_inner())
        .map_err(|error| ArrowError::JsonError(error.to_string()))?;
    let value = |line: &str| {
        line.strip_prefix(r#"{"v":"#)?
            .strip_suffix('}')
            .map(str::to_owned)
    };
    let rows = json.lines().enumerate();
    let texts: StringArray = rows
        .map(|(row, line)| value(line).filter(|_| column.is_valid(row)))
        .collect();
    // Reading the texts back finds values that JSON cannot hold.
    if from_json(&texts, column.data_type())?.as_ref() != column.as_ref() {
        return Err(ArrowError::InvalidArgumentError(
            "JSON cannot hold a nested value: it would be read back as another".to_owned(),
        ));
    }
    Ok(texts)
}

/// Reads the values of a column from JSON texts.
///
/// # Errors
/// [`ArrowError`] when a text is not a value of the type.
pub fn from_json(texts: &StringArray, data_type: &DataType) -> Result<ArrayRef, ArrowError> {
    let mut lines = String::new();
    for text in texts {
        lines.push_str(&format!("{{\"{COLUMN}\":{}}}\n", text.unwrap_or("null")));
    }
    let schema = column_schema(data_type);
    check_objects(lines.as_bytes(), schema.fields())?;
    let mut batches = ReaderBuilder::new(Arc::clone(&schema))
        .with_batch_size(texts.len().max(1))
        .build(Cursor::new(lines))?;
    let first = batches.next().transpose()?;
    let batch = first.unwrap_or_else(|| RecordBatch::new_empty(schema));
    Ok(Arc::clone(batch.column(0)))
}

fn column_schema(data_type: &DataType) -> SchemaRef {
    Arc::new(Schema::new(vec![Field::new(
        COLUMN,
        data_type.clone(),
        true,
    )]))
}

#[cfg(test)]
mod tests {
    use arrow_array::{
        ListArray,
        types::{Float64Type, Int32Type},
    };

    use super::*;

    #[test]
    fn a_missing_value_differs_from_an_empty_one() {
        let lists = [Some(vec![Some(1), None]), None, Some(Vec::new())];
        let column: ArrayRef = Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>(lists));
        let texts = to_json(&column).unwrap();
        assert_eq!(
            texts,
            StringArray::from(vec![Some("[1,null]"), None, Some("[]")])
        );
        assert_eq!(&from_json(&texts, column.data_type()).unwrap(), &column);
        let none = column.slice(0, 0);
        assert_eq!(to_json(&none).unwrap().len(), 0);
    }

    #[test]
    fn values_that_json_cannot_hold_are_refused() {
        let lists = [Some(vec![Some(f64::NAN)])];
        let column: ArrayRef = Arc::new(ListArray::from_iter_primitive::<Float64Type, _, _>(lists));
        let refused = to_json(&column).unwrap_err().to_string();
        assert!(refused.contains("JSON cannot hold"), "{refused}");
    }
}
