//! Metadata of definitions and materializations, for people.

use precip_core::metadata::{MetadataValue, TableColumn};

use super::format_time;

/// Formats a metadata value for people: the columns of a table one a line, everything else as written.
pub(crate) fn format_metadata(value: &MetadataValue) -> String {
    match value {
        MetadataValue::Text(text)
        | MetadataValue::Path(text)
        | MetadataValue::Url(text)
        | MetadataValue::Markdown(text) => text.clone(),
        MetadataValue::Int(number) => number.to_string(),
        MetadataValue::Float(number) => number.to_string(),
        MetadataValue::Bool(true) => "yes".to_owned(),
        MetadataValue::Bool(false) => "no".to_owned(),
        MetadataValue::Json(json) => json.to_string(),
        MetadataValue::Timestamp(at) => format_time(*at),
        MetadataValue::TableSchema(schema) => {
            let columns: Vec<String> = schema.columns.iter().map(format_column).collect();
            columns.join("\n")
        }
    }
}

fn format_column(column: &TableColumn) -> String {
    let mut text = format!("{} {}", column.name, column.data_type);
    if !column.nullable {
        text.push_str(", never null");
    }
    if let Some(description) = &column.description {
        text.push_str(": ");
        text.push_str(description);
    }
    text
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use precip_core::metadata::TableSchema;

    use super::*;

    #[test]
    fn every_kind_of_metadata_is_formatted() {
        let column = |name: &str, nullable, description: Option<&str>| TableColumn {
            name: name.to_owned(),
            data_type: "Int64".to_owned(),
            nullable,
            description: description.map(str::to_owned),
        };
        let schema = TableSchema {
            columns: vec![
                column("day", true, None),
                column("flights", false, Some("that took off")),
            ],
        };
        let facts = [
            MetadataValue::Text("as it is".to_owned()),
            MetadataValue::Int(-3),
            MetadataValue::Float(0.25),
            MetadataValue::Float(f64::NAN),
            MetadataValue::Bool(true),
            MetadataValue::Json(serde_json::json!({ "a": [1] })),
            MetadataValue::Path("s3://bucket/a".to_owned()),
            MetadataValue::Url("https://example.com".to_owned()),
            MetadataValue::Timestamp(DateTime::UNIX_EPOCH),
            MetadataValue::TableSchema(schema),
            MetadataValue::Markdown("**much**".to_owned()),
        ];
        let shown: Vec<String> = facts.iter().map(format_metadata).collect();
        let expected = [
            "as it is",
            "-3",
            "0.25",
            "NaN",
            "yes",
            r#"{"a":[1]}"#,
            "s3://bucket/a",
            "https://example.com",
            "1970-01-01T00:00:00Z",
            "day Int64\nflights Int64, never null: that took off",
            "**much**",
        ];
        assert_eq!(shown, expected);
    }
}
