//! The JSON schema of a config type, if it has one.

use std::marker::PhantomData;

use schemars::JsonSchema;
use serde_json::Value;

/// A query for the schema of a `T`: `(&SchemaOf::<T>::new()).schema()` resolves to [`WithSchema`]
/// if `T` is a [`JsonSchema`], and to [`WithoutSchema`], one reference further away, for every
/// other type.
#[derive(Debug)]
pub struct SchemaOf<T>(PhantomData<T>);

impl<T> SchemaOf<T> {
    #[expect(
        clippy::new_without_default,
        reason = "the macros call it by this name only"
    )]
    pub fn new() -> Self {
        Self(PhantomData)
    }
}

pub trait WithSchema {
    fn schema(&self) -> Option<Value>;
}

impl<T: JsonSchema> WithSchema for SchemaOf<T> {
    fn schema(&self) -> Option<Value> {
        Some(schemars::schema_for!(T).to_value())
    }
}

pub trait WithoutSchema {
    fn schema(&self) -> Option<Value>;
}

impl<T> WithoutSchema for &SchemaOf<T> {
    fn schema(&self) -> Option<Value> {
        None
    }
}
