//! JSON Schemas of the types that are serialized as strings.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use crate::{
    cron::CronExpression,
    key::AssetKey,
    partitions::KeyFormat,
    selection::Selection,
    spec::{BinaryName, GroupName, Kind, Owner, TagKey, TagValue, TriggerName},
    trigger::KeyTemplate,
};

macro_rules! impl_string_schema {
    ($($type:ident: $description:literal $(, $pattern:literal)?;)*) => {$(
        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({
                    "type": "string",
                    "description": $description,
                    $("pattern": $pattern,)?
                })
            }
        }
    )*};
}

impl_string_schema! {
    AssetKey: "The name of an asset: parts joined by `/`.",
        "^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*$";
    GroupName: "The group that an asset belongs to.", "^[A-Za-z0-9_]+(/[A-Za-z0-9_]+)*$";
    TagKey: "The key of a tag, after an optional namespace and a `/`.",
        "^(dagster/kind/|[A-Za-z0-9_.-]{1,63}/)?[A-Za-z0-9_.-]{1,63}$";
    TagValue: "The value of a tag.", "^[A-Za-z0-9_.-]{0,63}$";
    Kind: "A technology that an asset is made with or stored in.", "^[A-Za-z0-9_.-]{1,63}$";
    Owner: "`team:NAME` or an e-mail address.";
    KeyFormat: "The `strftime` format in which the start of a window is written as a key.";
    CronExpression: "A cron string of five fields, or a name such as `@daily`.";
    Selection: "An asset selection.";
    TriggerName: "The name of a sensor or a schedule.", "^[A-Za-z0-9_]{1,100}$";
    BinaryName: "The name of one of the project's binaries.", "^[A-Za-z][A-Za-z0-9_-]{0,39}$";
    KeyTemplate: "A template of object keys, such as `orders/{date}/{region}.csv`.";
}
