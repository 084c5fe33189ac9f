//! How the rows of a type become columns.

use arrow_schema::{DataType, SchemaRef};
use serde::{Deserialize, Serialize};

use super::schema_of;
use crate::convert::ConvertError;

/// A row that is no struct, in a table of one column.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Cell<T> {
    /// The row.
    pub(crate) value: T,
}

/// How the rows of a type become columns.
pub(crate) enum RowColumns {
    /// A struct: a column for each field.
    Fields(SchemaRef),
    /// A number, a text, a time: one column named `value`.
    Value(SchemaRef),
}

impl RowColumns {
    pub(crate) fn schema(&self) -> &SchemaRef {
        match self {
            Self::Fields(schema) | Self::Value(schema) => schema,
        }
    }
}

/// The columns of a row type.
///
/// # Errors
/// [`ConvertError`] when the type has no columns. Bytes are refused as rows: they are one value.
pub(crate) fn row_columns<'de, T: Deserialize<'de>>() -> Result<RowColumns, ConvertError> {
    let problem = match schema_of::<T>() {
        Ok(schema) => return Ok(RowColumns::Fields(schema)),
        Err(problem) => problem,
    };
    match schema_of::<Cell<T>>() {
        Ok(schema) if schema.field(0).data_type() != &DataType::UInt8 => {
            Ok(RowColumns::Value(schema))
        }
        _ => Err(problem),
    }
}

#[cfg(test)]
mod tests {
    use crate::Table;

    #[test]
    fn rows_that_are_no_structs_are_a_column_named_value() {
        let table = Table::from_rows(&[Some(3_i64), None, Some(-1)]).unwrap();
        let column = table.schema().field(0);
        assert_eq!(
            (column.name().as_str(), column.is_nullable()),
            ("value", true)
        );
        assert_eq!(
            table.to_rows::<Option<i64>>().unwrap(),
            [Some(3), None, Some(-1)]
        );

        let names = vec!["Ann".to_owned(), String::new()];
        let table = Table::from_rows(&names).unwrap();
        assert_eq!(table.to_rows::<String>().unwrap(), names);
        assert_eq!(
            Table::from_rows::<f64>(&[])
                .unwrap()
                .to_rows::<f64>()
                .unwrap(),
            [0.0; 0]
        );
    }

    #[test]
    fn bytes_are_no_rows() {
        let refused = Table::from_rows(&[1_u8]).unwrap_err().to_string();
        assert_eq!(
            refused,
            "`Vec<u8>` is a table of numbers; use `bytes::Bytes` for bytes"
        );
    }
}
