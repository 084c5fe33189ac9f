//! [`Json`].

use std::ops::{Deref, DerefMut};

use precip_engine::asset::{AssetValue, LoadedInput};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{
    ConvertError, FromAsset, IntoAsset,
    from_asset::{read_one, types_for, wrong_form},
};
use crate::{
    Value,
    strict::{Exact, check_finite},
};

/// One value stored as a JSON document: a model's parameters, a report, a summary.
///
/// JSON has no NaN and no infinity: such a value is refused, not stored as `null`. A number that the type read cannot
/// hold exactly (a large `i64` as `f64`) is refused too.
///
/// ```
/// use precip_io::{IntoAsset, Json};
///
/// let summary = Json(std::collections::BTreeMap::from([("rows", 336_776)]));
/// assert!(summary.into_asset().is_ok());
/// ```
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Json<T>(pub T);

impl<T> Json<T> {
    /// Returns the value.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> Deref for Json<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> DerefMut for Json<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

impl<T: Serialize + Send> IntoAsset for Json<T> {
    fn into_asset(self) -> Result<AssetValue, ConvertError> {
        to_json(&self.0)
    }
}

impl<T: DeserializeOwned + Send> FromAsset for Json<T> {
    fn from_asset(input: LoadedInput) -> Result<Self, ConvertError> {
        read_one(input, |value| from_json::<T>(value).map(Json))
    }
}

impl IntoAsset for serde_json::Value {
    fn into_asset(self) -> Result<AssetValue, ConvertError> {
        Ok(Value::Json(self).into())
    }
}

impl FromAsset for serde_json::Value {
    fn from_asset(input: LoadedInput) -> Result<Self, ConvertError> {
        read_one(input, from_json)
    }
}

pub(super) fn to_json<T: Serialize>(value: &T) -> Result<AssetValue, ConvertError> {
    // JSON would hold `null` in its place, which is read as a missing value or not at all.
    check_finite(value).map_err(|found| {
        ConvertError::new(format!(
            "{found}, which JSON cannot hold; return an `Option` without a value there, or rows (`Vec<T>`) for an IO manager of Parquet, CSV or DuckDB"
        ))
    })?;
    serde_json::to_value(value)
        .map(|json| Value::Json(json).into())
        .map_err(|error| ConvertError::new(format!("it cannot be written as JSON: {error}")))
}

pub(super) fn from_json<T: DeserializeOwned>(value: Value) -> Result<T, ConvertError> {
    match value {
        Value::Json(json) => T::deserialize(Exact(json)).map_err(|error| {
            ConvertError::new(format!(
                "its JSON cannot be read as `{}`: {error}",
                super::error::short_type_name::<T>()
            ))
        }),
        other => Err(wrong_form::<T>(other.form(), types_for(other.form()))),
    }
}
