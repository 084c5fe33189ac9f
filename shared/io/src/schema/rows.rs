//! [`RowColumns`]: the columns that rows of a type become.

use arrow_schema::{DataType, SchemaRef};
use serde::{Deserialize, Serialize};

use super::schema_of;
use crate::convert::ConvertError;

/// A row that is not a struct, in a table of one column.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Cell<T> {
    /// The value of the row.
    pub(crate) value: T,
}

/// The columns that rows of a type become.
pub(crate) enum RowColumns {
    /// Columns of a struct, one for each field.
    Fields(SchemaRef),
    /// The column `value` of a number, text or time.
    Value(SchemaRef),
}

impl RowColumns {
    pub(crate) fn schema(&self) -> &SchemaRef {
        match self {
            Self::Fields(schema) | Self::Value(schema) => schema,
        }
    }
}

/// Returns the columns of a row type.
///
/// # Errors
/// [`ConvertError`] when the type has no columns. Bytes are refused as rows: they are one value.
pub(crate) fn row_columns<'de, T: Deserialize<'de>>() -> Result<RowColumns, ConvertError> {
    let problem = match schema_of::<T>() {
        Ok(schema) => return Ok(RowColumns::Fields(schema)),
        Err(problem) => problem,
    };
    // A type that is not a struct may still be the single column of a cell.
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
    fn rows_that_are_not_structs_are_a_column_named_value() {
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
