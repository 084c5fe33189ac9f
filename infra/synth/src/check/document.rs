//! A template as JSON, its short forms (`!Ref`, `!GetAtt`, ...) written out.

use serde_json::{Map, Value, json};
use serde_yaml_ng::Value as Yaml;

/// Reads a template.
///
/// # Errors
/// What is wrong, when it is not YAML.
pub(super) fn read(text: &str) -> Result<Value, String> {
    let yaml: Yaml = serde_yaml_ng::from_str(text).map_err(|error| error.to_string())?;
    written_out(yaml)
}

fn written_out(yaml: Yaml) -> Result<Value, String> {
    Ok(match yaml {
        Yaml::Null => Value::Null,
        Yaml::Bool(value) => value.into(),
        Yaml::Number(value) => number(&value),
        Yaml::String(value) => value.into(),
        Yaml::Sequence(items) => items
            .into_iter()
            .map(written_out)
            .collect::<Result<_, _>>()?,
        Yaml::Mapping(entries) => {
            let mut map = Map::new();
            for (key, value) in entries {
                map.insert(key_text(key)?, written_out(value)?);
            }
            Value::Object(map)
        }
        Yaml::Tagged(tagged) => {
            let tag = tagged.tag.to_string();
            function(tag.trim_start_matches('!'), written_out(tagged.value)?)
        }
    })
}

fn key_text(key: Yaml) -> Result<String, String> {
    match key {
        Yaml::String(key) => Ok(key),
        Yaml::Bool(key) => Ok(key.to_string()),
        Yaml::Number(key) => Ok(key.to_string()),
        other => Err(format!("{other:?} is not a key")),
    }
}

fn number(value: &serde_yaml_ng::Number) -> Value {
    match (value.as_u64(), value.as_i64(), value.as_f64()) {
        (Some(value), _, _) => value.into(),
        (_, Some(value), _) => value.into(),
        (_, _, Some(value)) => value.into(),
        _ => Value::Null,
    }
}

/// `!Ref X` is `{"Ref": X}`, `!GetAtt A.B` is `{"Fn::GetAtt": ["A", "B"]}`, the rest `Fn::`.
fn function(tag: &str, value: Value) -> Value {
    match (tag, value) {
        ("Ref" | "Condition", value) => json!({ tag: value }),
        ("GetAtt", Value::String(path)) => {
            let (resource, attribute) = path.split_once('.').unwrap_or((&path, ""));
            json!({ "Fn::GetAtt": [resource, attribute] })
        }
        (tag, value) => json!({ format!("Fn::{tag}"): value }),
    }
}

/// Whether a value is known only when it is deployed.
pub(super) fn is_function(value: &Value) -> bool {
    value.as_object().is_some_and(|map| {
        map.len() == 1
            && map
                .keys()
                .all(|key| key == "Ref" || key.starts_with("Fn::"))
    })
}

/// Every object in a value with its path, the outer ones first.
pub(super) fn objects<'a>(value: &'a Value, path: &str) -> Vec<(String, &'a Map<String, Value>)> {
    let mut found = Vec::new();
    walk(value, path.to_owned(), &mut found);
    found
}

fn walk<'a>(value: &'a Value, path: String, found: &mut Vec<(String, &'a Map<String, Value>)>) {
    match value {
        Value::Object(map) => {
            found.push((path.clone(), map));
            for (key, inner) in map {
                walk(inner, format!("{path}/{key}"), found);
            }
        }
        Value::Array(items) => {
            for (place, inner) in items.iter().enumerate() {
                walk(inner, format!("{path}/{place}"), found);
            }
        }
        _ => {}
    }
}
