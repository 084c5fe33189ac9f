//! [`FromAsset`].

use bytes::Bytes;
use precip_core::partitions::PartitionKey;
use precip_engine::asset::{InputNeeds, LoadedInput, LoadedPart};

use super::{ConvertError, error::short_type_name};
use crate::{Form, Value};

/// Types that a parameter of an asset's function can have: the data of an upstream asset is read as this type.
///
/// | type | reads |
/// |---|---|
/// | `Vec<T>`, [`Table`](crate::Table) | the rows of all upstream partitions, in order |
/// | [`Json<T>`](crate::Json), `String`, `bytes::Bytes`, numbers, `bool` | exactly one upstream partition |
/// | [`Partitions<P>`](crate::Partitions) | each upstream partition as a `P`, by its key |
/// | `Option<P>` | a `P` of the upstream partitions that exist; `None` when none exists |
#[diagnostic::on_unimplemented(
    message = "the data of an upstream asset cannot be read as `{Self}`",
    label = "not a type that an upstream asset can be read as",
    note = "take `Vec<Row>` or `Table` for a table, `Json<T>`, `String`, `bytes::Bytes` or a number for one value, and `Partitions<..>` around it for many partitions by key",
    note = "a parameter that is not an upstream asset needs an attribute: `#[resource]` or `#[config]`"
)]
pub trait FromAsset: Sized + Send {
    /// Returns the data to load for this type.
    fn needs() -> InputNeeds {
        InputNeeds::default()
    }

    /// Converts the loaded upstream partitions.
    ///
    /// # Errors
    /// [`ConvertError`] when the data has another form or other columns, or when the type takes exactly one
    /// partition and the input has none or several.
    fn from_asset(input: LoadedInput) -> Result<Self, ConvertError>;
}

/// Returns the only upstream partition of an input, for a type `T` that takes exactly one.
///
/// # Errors
/// [`ConvertError`] when the input has none or several.
pub fn single_part<T>(mut input: LoadedInput) -> Result<LoadedPart, ConvertError> {
    let found = input.parts.len();
    match (input.parts.pop(), found) {
        (Some(part), 1) => Ok(part),
        (None, _) => Err(ConvertError::new(format!(
            "there is no upstream partition; take `Option<{}>` where that may be so",
            short_type_name::<T>()
        ))
        .at(&input.asset, None)),
        (Some(_), _) => Err(ConvertError::new(format!(
            "{found} upstream partitions map to this one; take `Partitions<{}>`",
            short_type_name::<T>()
        ))
        .at(&input.asset, None)),
    }
}

/// Returns the built-in [`Value`]s of an input's partitions, for a type `T`.
///
/// # Errors
/// [`ConvertError`] when a partition was loaded by an IO manager that returns other values.
pub fn builtin_values<T>(
    input: LoadedInput,
) -> Result<Vec<(Option<PartitionKey>, Value)>, ConvertError> {
    let take = |part: LoadedPart| match part.value.downcast::<Value>() {
        Ok(value) => Ok((part.partition, value)),
        Err(other) => Err(ConvertError::new(format!(
            "its IO manager loads `{}`, which cannot be read as `{}`",
            other.type_name(),
            short_type_name::<T>()
        ))
        .at(&input.asset, part.partition.as_ref())),
    };
    input.parts.into_iter().map(take).collect()
}

/// Reads the only partition of an input as a `T`.
pub(super) fn read_one<T>(
    input: LoadedInput,
    read: impl FnOnce(Value) -> Result<T, ConvertError>,
) -> Result<T, ConvertError> {
    // Kept for the error, since both conversions take ownership.
    let asset = input.asset.clone();
    let part = single_part::<T>(input)?;
    let partition = part.partition.clone();
    let alone = LoadedInput {
        asset: asset.clone(),
        parts: vec![part],
    };
    builtin_values::<T>(alone)?
        .into_iter()
        .next()
        .ok_or_else(|| ConvertError::new("there is no upstream partition"))
        .and_then(|(_, value)| read(value))
        .map_err(|error| error.at(&asset, partition.as_ref()))
}

/// Returns the error for data in a form that `T` cannot be read from.
pub(super) fn wrong_form<T>(found: Form, instead: &str) -> ConvertError {
    ConvertError::new(format!(
        "it holds {found}, which cannot be read as `{}`; {instead}",
        short_type_name::<T>()
    ))
}

/// Returns the advice for data in a form: the types that read it.
pub(super) fn types_for(form: Form) -> &'static str {
    match form {
        Form::Table => "take `Vec<Row>` or `Table`",
        Form::Json => "take `Json<T>` or `serde_json::Value`",
        Form::Text => "take `String`",
        Form::Bytes => "take `bytes::Bytes`",
    }
}

impl FromAsset for String {
    fn from_asset(input: LoadedInput) -> Result<Self, ConvertError> {
        read_one(input, |value| match value {
            Value::Text(text) => Ok(text),
            other => Err(wrong_form::<Self>(other.form(), types_for(other.form()))),
        })
    }
}

impl FromAsset for Bytes {
    fn from_asset(input: LoadedInput) -> Result<Self, ConvertError> {
        read_one(input, |value| match value {
            Value::Bytes(bytes) => Ok(bytes),
            Value::Text(text) => Ok(text.into()),
            other => Err(wrong_form::<Self>(other.form(), types_for(other.form()))),
        })
    }
}

impl FromAsset for Value {
    fn from_asset(input: LoadedInput) -> Result<Self, ConvertError> {
        read_one(input, Ok)
    }
}

impl<P: FromAsset> FromAsset for Option<P> {
    fn needs() -> InputNeeds {
        InputNeeds {
            missing_ok: true,
            ..P::needs()
        }
    }

    fn from_asset(input: LoadedInput) -> Result<Self, ConvertError> {
        if input.parts.is_empty() {
            Ok(None)
        } else {
            P::from_asset(input).map(Some)
        }
    }
}
