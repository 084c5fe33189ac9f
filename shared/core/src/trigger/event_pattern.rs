//! [`EventPattern`]: the events of a sensor as an EventBridge pattern.

use serde_json::{Value, json};

use super::{ObjectFilter, ObjectSensor, template::Piece};

/// The largest number of characters in a rule's pattern (EventBridge quotas).
pub const MAX_PATTERN_CHARACTERS: usize = 2_048;

/// The largest number of wildcards in one pattern. EventBridge refuses patterns whose wildcards
/// make its matcher too large, and documents no limit: keys with more variable parts are matched by
/// their first parts and their end.
const MOST_WILDCARDS: usize = 5;

/// The events of a sensor as a rule's pattern, as narrow as EventBridge allows. Its
/// `*` also matches `/`, so the template still has to read the key of a matching event.
#[derive(Debug, Clone, PartialEq)]
pub struct EventPattern(Value);

/// A pattern that exceeds the limit of EventBridge.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the event pattern of its key has {characters} characters, and EventBridge takes at most \
     {MAX_PATTERN_CHARACTERS}: shorten the bucket's name or the key"
)]
pub struct InvalidEventPattern {
    /// The number of characters.
    pub characters: usize,
}

impl EventPattern {
    /// Builds the pattern of a sensor for a bucket; `bucket` may be the name or a placeholder for
    /// it.
    ///
    /// # Errors
    /// [`InvalidEventPattern`] when the pattern is too long.
    pub fn new(sensor: &ObjectSensor, bucket: &str) -> Result<Self, InvalidEventPattern> {
        let mut kinds = vec!["Object Created"];
        if sensor.deletes {
            kinds.push("Object Deleted");
        }
        // A field that the pattern does not have matches any value.
        let mut object = serde_json::Map::new();
        if let Some(key) = key_matcher(&sensor.filter) {
            object.insert("key".to_owned(), json!([key]));
        }
        // A deleted object has no size and would never match.
        if sensor.min_size > 0 && !sensor.deletes {
            object.insert(
                "size".to_owned(),
                json!([{ "numeric": [">=", sensor.min_size] }]),
            );
        }
        let mut detail = json!({ "bucket": { "name": [bucket] } });
        if !object.is_empty() {
            detail["object"] = Value::Object(object);
        }
        let pattern = json!({
            "source": ["aws.s3"],
            "detail-type": kinds,
            "detail": detail,
        });
        let characters = pattern.to_string().chars().count();
        if characters > MAX_PATTERN_CHARACTERS {
            return Err(InvalidEventPattern { characters });
        }
        Ok(Self(pattern))
    }

    /// Returns the pattern as JSON.
    pub fn as_json(&self) -> &Value {
        &self.0
    }
}

/// Returns the matcher for keys; `None` for any key.
fn key_matcher(filter: &ObjectFilter) -> Option<Value> {
    let template = filter.template();
    let mut parts: Vec<Part> = Vec::new();
    // Neighbouring literals are joined, and so are neighbouring wildcards.
    for piece in &template.pieces {
        for part in parts_of(piece) {
            match (parts.last_mut(), part) {
                (Some(Part::Literal(before)), Part::Literal(more)) => before.push_str(&more),
                (Some(Part::Open), Part::Open) => {}
                (_, part) => parts.push(part),
            }
        }
    }
    limit_wildcards(&mut parts);
    match &parts[..] {
        [] | [Part::Open] => None,
        [Part::Literal(whole)] => Some(json!(whole)),
        [Part::Literal(prefix), Part::Open] => Some(json!({ "prefix": prefix })),
        [Part::Open, Part::Literal(suffix)] => Some(json!({ "suffix": suffix })),
        parts => {
            let wildcard: String = parts.iter().map(Part::escaped_text).collect();
            Some(json!({ "wildcard": wildcard }))
        }
    }
}

/// Removes the last wildcards when there are too many, with the literals between them; the end of
/// the key stays.
fn limit_wildcards(parts: &mut Vec<Part>) {
    let open = |parts: &[Part]| parts.iter().filter(|part| **part == Part::Open).count();
    // Merges the last two wildcards, whatever is between them, until few enough are left.
    while open(parts) > MOST_WILDCARDS {
        let Some(last) = parts.iter().rposition(|part| *part == Part::Open) else {
            return;
        };
        let before = parts[..last].iter().rposition(|part| *part == Part::Open);
        let Some(before) = before else { return };
        parts.drain(before + 1..=last);
    }
}

/// A part of a matcher.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    /// Exactly these characters.
    Literal(String),
    /// Any characters.
    Open,
}

impl Part {
    /// Formats the part in the syntax of EventBridge wildcards.
    fn escaped_text(&self) -> String {
        match self {
            Self::Open => "*".to_owned(),
            Self::Literal(text) => text.replace('\\', r"\\").replace('*', r"\*"),
        }
    }
}

/// Returns the parts of a matcher for a piece of a template.
fn parts_of(piece: &Piece) -> Vec<Part> {
    use super::template::FormatPart;
    match piece {
        Piece::Literal(text) => vec![Part::Literal(text.clone())],
        Piece::Any | Piece::Deep | Piece::Value { format: None, .. } => vec![Part::Open],
        Piece::Value {
            format: Some(format),
            ..
        } => {
            let parts = format.iter().map(|part| match part {
                FormatPart::Literal(text) => Part::Literal(text.clone()),
                FormatPart::Digits { .. } => Part::Open,
            });
            parts.collect()
        }
    }
}
