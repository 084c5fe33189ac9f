//! Formatting rows as JSON, which a statement takes as one parameter and Snowflake converts to columns.

use std::{iter, mem, sync::Arc};

use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_cast::{
    cast,
    display::{ArrayFormatter, FormatOptions},
};
use arrow_schema::{ArrowError, DataType, Field};
use precip_io::tables::{quote_identifier, to_json};

use crate::{
    error::SnowflakeError,
    names::{PARTITION_COLUMN, ROW_COLUMN, TableName, to_upper},
    types::{is_nested, sql_type},
};

/// Largest JSON text of one statement, in bytes. Snowflake accepts 1 MB for a statement with its parameters.
const MAX_TEXT_BYTES: usize = 768 * 1024;

/// Returns the statement that inserts rows into a table. Its parameters are the partition's key and one of
/// [`json_chunks`].
pub(crate) fn insert_statement(
    table: &TableName,
    fields: &[Arc<Field>],
) -> Result<String, SnowflakeError> {
    let mut names = vec![
        quote_identifier(PARTITION_COLUMN),
        quote_identifier(ROW_COLUMN),
    ];
    let mut values = vec![
        "?".to_owned(),
        "value[0]::VARCHAR::NUMBER(19, 0)".to_owned(),
    ];
    // Every value is a text in the JSON, which keeps all digits; the cast depends on the type of the column.
    for (n, field) in (1..).zip(fields) {
        names.push(quote_identifier(&to_upper(field.name())));
        let text = format!("value[{n}]::VARCHAR");
        values.push(
            match sql_type(field.data_type()).map_err(SnowflakeError::Refused)? {
                name if name == "VARCHAR" => text,
                name if name == "BINARY" => format!("TO_BINARY({text}, 'HEX')"),
                name if name == "VARIANT" => format!("PARSE_JSON({text})"),
                name => format!("{text}::{name}"),
            },
        );
    }
    Ok(format!(
        "INSERT INTO {} ({}) SELECT {} FROM TABLE(FLATTEN(INPUT => PARSE_JSON(?)))",
        table.quoted_name(),
        names.join(", "),
        values.join(", ")
    ))
}

/// Formats rows as JSON arrays that are short enough for a statement each: `[["0","UA",null],..]`.
pub(crate) fn json_chunks(
    batches: impl IntoIterator<Item = Result<RecordBatch, ArrowError>>,
) -> impl Iterator<Item = Result<String, SnowflakeError>> {
    let (mut batches, mut number) = (batches.into_iter(), 0);
    let (mut rows, mut text) = (Vec::new().into_iter(), String::new());
    iter::from_fn(move || {
        loop {
            // Adds the next row to the text, or returns the text if it is full.
            if let Some(row) = rows.next() {
                let row: String = row;
                if !text.is_empty() && text.len() + row.len() > MAX_TEXT_BYTES {
                    return Some(Ok(format!("[{}]", mem::replace(&mut text, row))));
                }
                if !text.is_empty() {
                    text.push(',');
                }
                text.push_str(&row);
            } else if let Some(batch) = batches.next() {
                match batch
                    .map_err(SnowflakeError::from)
                    .and_then(|batch| numbered_rows(&batch, &mut number))
                {
                    Ok(more) => rows = more.into_iter(),
                    Err(error) => return Some(Err(error)),
                }
            } else {
                return (!text.is_empty()).then(|| Ok(format!("[{}]", mem::take(&mut text))));
            }
        }
    })
}

/// Formats each row of a batch, `["0","UA",null]`, beginning with its number.
fn numbered_rows(batch: &RecordBatch, number: &mut u64) -> Result<Vec<String>, SnowflakeError> {
    let columns = formattable_columns(batch)?;
    let options = FormatOptions::default()
        .with_display_error(false)
        .with_timestamp_tz_format(Some("%Y-%m-%dT%H:%M:%S%.f%:z"));
    let formats = columns
        .iter()
        .map(|column| ArrayFormatter::try_new(column.as_ref(), &options))
        .collect::<Result<Vec<_>, _>>()?;
    let mut rows = Vec::with_capacity(batch.num_rows());
    for row in 0..batch.num_rows() {
        let mut values = vec![Some(number.to_string())];
        for (column, format) in columns.iter().zip(&formats) {
            let value = column
                .is_valid(row)
                .then(|| format.value(row).try_to_string());
            values.push(value.transpose()?);
        }
        rows.push(serde_json::to_string(&values)?);
        *number += 1;
    }
    Ok(rows)
}

/// Converts columns to types whose texts Snowflake reads: times in UTC, floats with every digit, and JSON for nested
/// values.
fn formattable_columns(batch: &RecordBatch) -> Result<Vec<ArrayRef>, SnowflakeError> {
    let columns = batch
        .columns()
        .iter()
        .map(|column| match column.data_type() {
            DataType::Float32 => Ok(cast(column, &DataType::Float64)?),
            DataType::Timestamp(unit, Some(_)) => {
                let utc = DataType::Timestamp(*unit, Some("+00:00".into()));
                Ok(cast(column, &utc)?)
            }
            nested if is_nested(nested) => {
                let texts =
                    to_json(column).map_err(|error| SnowflakeError::Refused(error.to_string()))?;
                Ok(Arc::new(texts) as ArrayRef)
            }
            _ => Ok(Arc::clone(column)),
        });
    columns.collect()
}

#[cfg(test)]
mod tests {
    use arrow_array::{
        BinaryArray, Float32Array, Float64Array, StringArray, TimestampMicrosecondArray,
    };

    use super::*;

    fn chunks_of(columns: Vec<(&str, ArrayRef)>) -> Vec<String> {
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        // In two batches, like the rows of a stream.
        let halves = [
            batch.slice(0, batch.num_rows() / 2),
            batch.slice(batch.num_rows() / 2, batch.num_rows().div_ceil(2)),
        ];
        json_chunks(halves.map(Ok)).map(Result::unwrap).collect()
    }

    #[test]
    fn values_are_formatted_with_every_digit() {
        let at = TimestampMicrosecondArray::from(vec![Some(-1), None]);
        let texts = chunks_of(vec![
            ("a", Arc::new(Float32Array::from(vec![0.1, f32::NAN]))),
            (
                "b",
                Arc::new(Float64Array::from(vec![1e300, f64::NEG_INFINITY])),
            ),
            ("c", Arc::new(at.with_timezone("America/New_York"))),
            (
                "d",
                Arc::new(BinaryArray::from(vec![Some(&b"\x00\xff"[..]), None])),
            ),
            ("e", Arc::new(StringArray::from(vec!["\"\n", "null"]))),
        ]);
        assert_eq!(
            texts,
            [concat!(
                r#"[["0","0.10000000149011612","1e300","1969-12-31T23:59:59.999999+00:00","00ff","\"\n"],"#,
                r#"["1","NaN","-inf",null,null,"null"]]"#
            )]
        );
    }

    #[test]
    fn many_rows_take_several_statements_and_keep_their_numbers() {
        let long = "x".repeat(1_000);
        let column = StringArray::from(vec![long.as_str(); 2_000]);
        let texts = chunks_of(vec![("a", Arc::new(column))]);
        assert!(texts.len() > 2 && texts.iter().all(|text| text.len() <= MAX_TEXT_BYTES + 2));
        let rows: Vec<Vec<String>> = texts
            .iter()
            .flat_map(|text| serde_json::from_str::<Vec<Vec<String>>>(text).unwrap())
            .collect();
        assert_eq!(rows.len(), 2_000);
        assert!((0..).zip(&rows).all(|(n, row)| row[0] == n.to_string()));
    }

    #[test]
    fn a_statement_names_its_columns() {
        let table = TableName::for_asset(&"raw/flights".parse().unwrap(), "PUBLIC");
        let legs = DataType::List(Arc::new(Field::new("item", DataType::Int8, true)));
        let fields = [
            Arc::new(Field::new("carrier", DataType::Utf8, false)),
            Arc::new(Field::new("photo", DataType::Binary, true)),
            Arc::new(Field::new("delay", DataType::Int32, true)),
            Arc::new(Field::new("legs", legs, true)),
        ];
        assert_eq!(
            insert_statement(&table, &fields).unwrap(),
            "INSERT INTO \"RAW\".\"FLIGHTS\" (\"_PARTITION\", \"_ROW\", \"CARRIER\", \"PHOTO\", \"DELAY\", \"LEGS\") \
             SELECT ?, value[0]::VARCHAR::NUMBER(19, 0), value[1]::VARCHAR, \
             TO_BINARY(value[2]::VARCHAR, 'HEX'), value[3]::VARCHAR::NUMBER(10, 0), \
             PARSE_JSON(value[4]::VARCHAR) \
             FROM TABLE(FLATTEN(INPUT => PARSE_JSON(?)))"
        );
    }
}
