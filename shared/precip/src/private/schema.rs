//! The JSON schema of a config type that has one.

use std::marker::PhantomData;

use schemars::JsonSchema;
use serde_json::Value;

/// Asks for the schema of a `T`: `(&SchemaOf::<T>::new()).schema()` finds [`WithSchema`] where `T` is
/// a [`JsonSchema`], and [`WithoutSchema`], one reference further away, for every other type.
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
