//! Reading landing files.

use std::error::Error;

use precip::io::Files;
use serde::de::DeserializeOwned;

/// Reads the rows of a CSV file with a header.
///
/// # Errors
/// When the file does not exist, or a row does not fit the type.
pub async fn read_rows<T: DeserializeOwned>(
    landing: &Files,
    name: &str,
) -> Result<Vec<T>, Box<dyn Error + Send + Sync>> {
    let Some(content) = landing.read(name).await? else {
        return Err(format!("there is no file `{name}` in `{}`", landing.location()).into());
    };
    let rows = csv::Reader::from_reader(&content[..])
        .deserialize()
        .collect::<Result<_, _>>();
    rows.map_err(|error| format!("`{name}` in `{}`: {error}", landing.location()).into())
}
