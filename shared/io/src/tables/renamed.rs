//! Columns that were renamed since rows were stored.

use precip_core::prose::{and_list, did_you_mean};
use precip_engine::io::LoadRequest;

/// Checks that no requested column is empty in every row because it is stored under another name.
///
/// A column that is not stored is left to the row type: rows that were stored before an optional column was added
/// have none. A stored column that no field reads is passed over: readers may take some of the columns. If there are
/// both, the column was renamed. Where the upstream asset declares no columns, only similar names count.
///
/// # Errors
/// A message with the columns on both sides.
pub fn check_renamed_columns(stored: &[&str], request: &LoadRequest) -> Result<(), String> {
    let Some(requested) = &request.columns else {
        return Ok(());
    };
    // A missing column that is not optional is an error of the row type, which may have a default.
    let missing = requested.columns.iter().filter(|column| column.nullable);
    let missing: Vec<&str> = missing
        .map(|column| column.name.as_str())
        .filter(|name| !stored.contains(name))
        .collect();
    let unread = stored.iter().copied().filter(|name| !request.wants(name));
    let unknown: Vec<&str> = match &request.declared_columns {
        Some(declared) => unread
            .filter(|name| !declared.iter().any(|column| column == name))
            .collect(),
        None => unread
            .filter(|name| did_you_mean(name, missing.iter().copied()).is_some())
            .collect(),
    };
    if missing.is_empty() || unknown.is_empty() {
        return Ok(());
    }
    Err(format!(
        "the rows have no field for the stored columns {}, and no column is stored for the fields {}, which would be \
         empty in every row; materialize it again, or give the fields the stored names with \
         `#[serde(rename = \"{}\")]`",
        and_list(&unknown),
        and_list(&missing),
        unknown[0]
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(stored: &[&str], fields: &[&str], declared: Option<&[&str]>) -> Result<(), String> {
        let columns = fields.iter().map(|field| (*field, "Utf8", true));
        let names = declared.map(|names| names.iter().map(|name| (*name).to_owned()).collect());
        let request = LoadRequest {
            columns: Some(columns.collect()),
            declared_columns: names,
            ..LoadRequest::default()
        };
        check_renamed_columns(stored, &request)
    }

    #[test]
    fn a_column_may_be_new_or_not_read() {
        let declared = Some(&["number", "holder", "opened"][..]);
        // `opened` was added since, and `holder` is not read.
        check(&["number", "holder"], &["number", "opened"], declared).unwrap();
        check(
            &["number", "holder"],
            &["number", "holder", "opened"],
            declared,
        )
        .unwrap();
        // Of a column that is gone, nothing is read.
        check(&["number", "closed"], &["number"], declared).unwrap();
        check(&["number", "holder"], &["number", "opened"], None).unwrap();
        check_renamed_columns(&["a"], &LoadRequest::everything()).unwrap();
    }

    #[test]
    fn a_renamed_column_is_refused_with_both_names() {
        let declared = Some(&["number", "owner"][..]);
        assert_eq!(
            check(&["number", "holder"], &["number", "owner"], declared).unwrap_err(),
            "the rows have no field for the stored columns `holder`, and no column is stored for the fields `owner`, \
             which would be empty in every row; materialize it again, or give the fields the stored names with \
             `#[serde(rename = \"holder\")]`"
        );
        check(&["number", "Owner"], &["owner"], declared).unwrap_err();
    }

    #[test]
    fn without_declared_columns_similar_names_are_refused() {
        for stored in ["holdr", "Holder", "HOLDER"] {
            let refused = check(&["number", stored], &["number", "holder"], None).unwrap_err();
            assert!(refused.contains(stored), "{refused}");
        }
    }
}
