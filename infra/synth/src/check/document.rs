//! A template as JSON, with its short forms (`!Ref`, `!GetAtt`, ...) expanded.

use serde_json::{Map, Value, json};
use serde_yaml_ng::Value as Yaml;

/// Parses a template and expands its short forms.
///
/// # Errors
/// A message when the text is not YAML.
pub(super) fn parse_template(text: &str) -> Result<Value, String> {
    let yaml: Yaml = serde_yaml_ng::from_str(text).map_err(|error| error.to_string())?;
    expand_short_forms(yaml)
}

/// Converts YAML to JSON, and expands tags.
fn expand_short_forms(yaml: Yaml) -> Result<Value, String> {
    Ok(match yaml {
        Yaml::Null => Value::Null,
        Yaml::Bool(value) => value.into(),
        Yaml::Number(value) => json_number(&value),
        Yaml::String(value) => value.into(),
        Yaml::Sequence(items) => items
            .into_iter()
            .map(expand_short_forms)
            .collect::<Result<_, _>>()?,
        Yaml::Mapping(entries) => {
            let mut map = Map::new();
            for (key, value) in entries {
                map.insert(key_text(key)?, expand_short_forms(value)?);
            }
            Value::Object(map)
        }
        // A short form is a tag on a value, which may hold short forms itself.
        Yaml::Tagged(tagged) => {
            let tag = tagged.tag.to_string();
            expand_function(
                tag.trim_start_matches('!'),
                expand_short_forms(tagged.value)?,
            )
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

fn json_number(value: &serde_yaml_ng::Number) -> Value {
    match (value.as_u64(), value.as_i64(), value.as_f64()) {
        (Some(value), _, _) => value.into(),
        (_, Some(value), _) => value.into(),
        (_, _, Some(value)) => value.into(),
        _ => Value::Null,
    }
}

/// Expands a short form: `!Ref X` is `{"Ref": X}`, `!GetAtt A.B` is `{"Fn::GetAtt": ["A", "B"]}`,
/// the rest `Fn::`.
fn expand_function(tag: &str, value: Value) -> Value {
    match (tag, value) {
        ("Ref" | "Condition", value) => json!({ tag: value }),
        ("GetAtt", Value::String(path)) => {
            let (resource, attribute) = path.split_once('.').unwrap_or((&path, ""));
            json!({ "Fn::GetAtt": [resource, attribute] })
        }
        (tag, value) => json!({ format!("Fn::{tag}"): value }),
    }
}

/// Returns whether a value is known only when it is deployed.
pub(super) fn is_function(value: &Value) -> bool {
    value.as_object().is_some_and(|map| {
        map.len() == 1
            && map
                .keys()
                .all(|key| key == "Ref" || key.starts_with("Fn::"))
    })
}

/// Returns every object in a value with its path, outer ones first.
pub(super) fn nested_objects<'a>(
    value: &'a Value,
    path: &str,
) -> Vec<(String, &'a Map<String, Value>)> {
    let mut found = Vec::new();
    collect_objects(value, path.to_owned(), &mut found);
    found
}

fn collect_objects<'a>(
    value: &'a Value,
    path: String,
    found: &mut Vec<(String, &'a Map<String, Value>)>,
) {
    match value {
        Value::Object(map) => {
            found.push((path.clone(), map));
            for (key, inner) in map {
                collect_objects(inner, format!("{path}/{key}"), found);
            }
        }
        Value::Array(items) => {
            for (index, inner) in items.iter().enumerate() {
                collect_objects(inner, format!("{path}/{index}"), found);
            }
        }
        _ => {}
    }
}
