//! Reading a partition back.

use precip_core::metadata::TableSchema;
use precip_engine::io::LoadRequest;

use super::check_renamed_columns;
use crate::Value;

/// Returns the columns to query for a request. A query needs at least one column, so a request for none gets all.
///
/// # Errors
/// That of [`check_renamed_columns`].
pub fn requested_columns(
    columns: &TableSchema,
    request: &LoadRequest,
) -> Result<TableSchema, String> {
    let stored: Vec<&str> = columns
        .columns
        .iter()
        .map(|column| column.name.as_str())
        .collect();
    check_renamed_columns(&stored, request)?;
    let mut wanted = columns.clone();
    wanted.columns.retain(|column| request.wants(&column.name));
    Ok(if wanted.columns.is_empty() {
        columns.clone()
    } else {
        wanted
    })
}

/// Decodes a value that is not a table from its form and content, see
/// [`StoreInput::Document`](super::StoreInput::Document).
///
/// # Errors
/// A message when the form is unknown or the content is malformed.
pub fn decode_document(form: &str, content: Vec<u8>) -> Result<Value, String> {
    Ok(match form {
        "json" => Value::Json(serde_json::from_slice(&content).map_err(|error| error.to_string())?),
        "text" => Value::Text(String::from_utf8(content).map_err(|error| error.to_string())?),
        "bytes" => Value::Bytes(content.into()),
        form => return Err(format!("`{form}` is not a form of data")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_forms_and_malformed_content_are_errors() {
        assert_eq!(
            decode_document("table", Vec::new()).unwrap_err(),
            "`table` is not a form of data"
        );
        assert!(decode_document("text", vec![0xFF]).is_err());
        assert!(decode_document("json", b"{".to_vec()).is_err());
    }
}
