//! The Rust types that columns are read as, for advice.

use arrow_schema::DataType;

/// Returns the type of a field that reads every value of a column, as it is written in Rust.
pub(crate) fn rust_type(data_type: &DataType) -> Option<String> {
    use DataType as T;
    let name = match data_type {
        T::Boolean => "bool",
        T::Int8 => "i8",
        T::Int16 => "i16",
        T::Int32 => "i32",
        T::Int64 => "i64",
        T::UInt8 => "u8",
        T::UInt16 => "u16",
        T::UInt32 => "u32",
        T::UInt64 => "u64",
        T::Float16 | T::Float32 => "f32",
        T::Float64 => "f64",
        T::Date32 | T::Date64 => "NaiveDate",
        T::Time32(_) | T::Time64(_) => "NaiveTime",
        T::Timestamp(_, None) => "NaiveDateTime",
        T::Timestamp(_, Some(_)) => "DateTime<Utc>",
        // The digits of a decimal, or a decimal type that parses them.
        text if text.is_string() || text.is_decimal() => "String",
        T::Dictionary(_, values) => return rust_type(values),
        T::RunEndEncoded(_, values) => return rust_type(values.data_type()),
        list => {
            let item = super::rule::list_item(list)?;
            let item_type = rust_type(item.data_type())?;
            return Some(if item.is_nullable() {
                format!("Vec<Option<{item_type}>>")
            } else {
                format!("Vec<{item_type}>")
            });
        }
    };
    Some(name.to_owned())
}
