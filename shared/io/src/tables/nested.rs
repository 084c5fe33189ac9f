//! Nested columns as texts in JSON, for databases that keep them so.

use std::{io::Cursor, sync::Arc};

use arrow_array::{Array, ArrayRef, RecordBatch, StringArray};
use arrow_json::{ReaderBuilder, WriterBuilder, writer::LineDelimited};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef};

use crate::{Table, format::in_utc};

/// The name of the column in the objects that are written and read.
const COLUMN: &str = "v";

/// Each value of a column as JSON; none where there is no value. [`from_json`] reads them.
///
/// # Errors
/// [`ArrowError::InvalidArgumentError`] when a value would come back as another, as one with a NaN in it.
pub fn to_json(column: &ArrayRef) -> Result<StringArray, ArrowError> {
    let schema = schema(column.data_type());
    let batch = RecordBatch::try_new(schema, vec![Arc::clone(column)])?;
    let mut lines = WriterBuilder::new()
        .with_explicit_nulls(true)
        .build::<_, LineDelimited>(Vec::new());
    for batch in in_utc(&Table::from(batch))?.batches() {
        lines.write(batch)?;
    }
    lines.finish()?;
    let lines = String::from_utf8(lines.into_inner());
    let lines = lines.map_err(|error| ArrowError::JsonError(error.to_string()))?;
    let value = |line: &str| {
        line.strip_prefix(r#"{"v":"#)?
            .strip_suffix('}')
            .map(str::to_owned)
    };
    let rows = lines.lines().enumerate();
    let texts = rows.map(|(row, line)| value(line).filter(|_| column.is_valid(row)));
    let texts: StringArray = texts.collect();
    if from_json(&texts, column.data_type())?.as_ref() != column.as_ref() {
        return Err(ArrowError::InvalidArgumentError(
            "a nested value has no place in JSON, as NaN and the infinities have none".to_owned(),
        ));
    }
    Ok(texts)
}

/// The values of a column of a type, out of texts that are JSON.
///
/// # Errors
/// [`ArrowError`] when a text is no value of the type.
pub fn from_json(texts: &StringArray, data_type: &DataType) -> Result<ArrayRef, ArrowError> {
    let mut lines = String::new();
    for text in texts {
        lines.push_str(&format!("{{\"{COLUMN}\":{}}}\n", text.unwrap_or("null")));
    }
    let schema = schema(data_type);
    let mut batches = ReaderBuilder::new(Arc::clone(&schema))
        .with_batch_size(texts.len().max(1))
        .build(Cursor::new(lines))?;
    let batch = batches.next().transpose()?;
    let batch = batch.unwrap_or_else(|| RecordBatch::new_empty(schema));
    Ok(Arc::clone(batch.column(0)))
}

fn schema(data_type: &DataType) -> SchemaRef {
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
    fn a_value_that_is_not_there_is_told_from_an_empty_one() {
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
    fn what_json_has_no_place_for_is_refused() {
        let lists = [Some(vec![Some(f64::NAN)])];
        let column: ArrayRef = Arc::new(ListArray::from_iter_primitive::<Float64Type, _, _>(lists));
        let refused = to_json(&column).unwrap_err().to_string();
        assert!(refused.contains("no place in JSON"), "{refused}");
    }
}
