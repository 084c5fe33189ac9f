//! What is read back of a partition.

use precip_core::metadata::TableSchema;
use precip_engine::io::LoadRequest;

use crate::Value;

/// The columns that a query asks for: those that a request wants. A query has columns, so who wants none gets
/// all.
pub fn wanted(columns: &TableSchema, request: &LoadRequest) -> TableSchema {
    let mut wanted = columns.clone();
    wanted.columns.retain(|column| request.wants(&column.name));
    match wanted.columns.is_empty() {
        true => columns.clone(),
        false => wanted,
    }
}

/// A value that is no table, out of the form and the content that were noted of it.
///
/// # Errors
/// What is wrong with them, when they are not what a manager has noted.
pub fn noted_value(form: &str, content: Vec<u8>) -> Result<Value, String> {
    Ok(match form {
        "json" => Value::Json(serde_json::from_slice(&content).map_err(|error| error.to_string())?),
        "text" => Value::Text(String::from_utf8(content).map_err(|error| error.to_string())?),
        "bytes" => Value::Bytes(content.into()),
        form => return Err(format!("`{form}` is no form of data")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_noted_by_a_manager_is_told() {
        assert_eq!(
            noted_value("table", Vec::new()).unwrap_err(),
            "`table` is no form of data"
        );
        assert!(noted_value("text", vec![0xFF]).is_err());
        assert!(noted_value("json", b"{".to_vec()).is_err());
    }
}
