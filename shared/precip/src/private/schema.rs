//! The JSON schema of a config type and its text for comparisons, if it has them.

use std::{fmt::Debug, marker::PhantomData};

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

/// A query for the text of values of a `T`: `(&DebugOf::<T>::new()).show()` resolves to [`WithDebug`] if `T` is
/// [`Debug`], and to [`WithoutDebug`] for every other type.
#[derive(Debug)]
pub struct DebugOf<T>(PhantomData<T>);

impl<T> DebugOf<T> {
    #[expect(
        clippy::new_without_default,
        reason = "the macros call it by this name only"
    )]
    pub fn new() -> Self {
        Self(PhantomData)
    }
}

/// A function that returns the text of a value.
type ShowFn<T> = fn(&T) -> String;

pub trait WithDebug<T> {
    fn show(&self) -> Option<ShowFn<T>>;
}

impl<T: Debug> WithDebug<T> for DebugOf<T> {
    fn show(&self) -> Option<ShowFn<T>> {
        Some(|value| format!("{value:?}"))
    }
}

pub trait WithoutDebug<T> {
    fn show(&self) -> Option<ShowFn<T>>;
}

impl<T> WithoutDebug<T> for &DebugOf<T> {
    fn show(&self) -> Option<ShowFn<T>> {
        None
    }
}
