//! [`EventPattern`]: the events of a sensor in the language of EventBridge.

use serde_json::{Value, json};

use super::{ObjectFilter, ObjectSensor, template::Piece};

/// How many characters a rule's pattern may have (EventBridge quotas).
pub const MAX_PATTERN_CHARACTERS: usize = 2_048;

/// How many wildcards are put into one pattern. EventBridge refuses patterns whose wildcards make
/// its matcher too large, without a number for it: keys of more parts are matched by what they begin
/// with, and by as many of their parts from the front.
const MOST_WILDCARDS: usize = 5;

/// The events of a sensor as a rule's pattern: as narrow as EventBridge allows. A `*` there also
/// stands for `/`, so an event that matches still has to be read by the template.
#[derive(Debug, Clone, PartialEq)]
pub struct EventPattern(Value);

/// A pattern that EventBridge would refuse.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the event pattern of its key has {characters} characters, and EventBridge takes at most \
     {MAX_PATTERN_CHARACTERS}: shorten the bucket's name or the key"
)]
pub struct InvalidEventPattern {
    /// How many it has.
    pub characters: usize,
}

impl EventPattern {
    /// The pattern of a sensor, for a bucket by name. Whoever puts it into a template may give a
    /// placeholder for the name.
    ///
    /// # Errors
    /// [`InvalidEventPattern`] when it is too long.
    pub fn new(sensor: &ObjectSensor, bucket: &str) -> Result<Self, InvalidEventPattern> {
        let mut kinds = vec!["Object Created"];
        if sensor.deletes {
            kinds.push("Object Deleted");
        }
        let mut object = serde_json::Map::new();
        if let Some(key) = key(&sensor.filter) {
            object.insert("key".to_owned(), json!([key]));
        }
        // What was deleted has no size, and would never match.
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

    /// The pattern as JSON.
    pub fn as_json(&self) -> &Value {
        &self.0
    }
}

/// The matcher of keys; `None` for any key.
fn key(filter: &ObjectFilter) -> Option<Value> {
    let template = filter.template();
    let mut parts: Vec<Part> = Vec::new();
    for piece in &template.pieces {
        for part in parts_of(piece) {
            match (parts.last_mut(), part) {
                (Some(Part::Literal(before)), Part::Literal(more)) => before.push_str(&more),
                (Some(Part::Open), Part::Open) => {}
                (_, part) => parts.push(part),
            }
        }
    }
    narrowed(&mut parts);
    match &parts[..] {
        [] | [Part::Open] => None,
        [Part::Literal(whole)] => Some(json!(whole)),
        [Part::Literal(prefix), Part::Open] => Some(json!({ "prefix": prefix })),
        [Part::Open, Part::Literal(suffix)] => Some(json!({ "suffix": suffix })),
        parts => {
            let wildcard: String = parts.iter().map(Part::written).collect();
            Some(json!({ "wildcard": wildcard }))
        }
    }
}

/// Leaves out the last wildcards when there are too many, and what stands between them; what the key
/// ends with stays.
fn narrowed(parts: &mut Vec<Part>) {
    let open = |parts: &[Part]| parts.iter().filter(|part| **part == Part::Open).count();
    while open(parts) > MOST_WILDCARDS {
        let Some(last) = parts.iter().rposition(|part| *part == Part::Open) else {
            return;
        };
        let before = parts[..last].iter().rposition(|part| *part == Part::Open);
        let Some(before) = before else { return };
        parts.drain(before + 1..=last);
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Literal(String),
    Open,
}

impl Part {
    fn written(&self) -> String {
        match self {
            Self::Open => "*".to_owned(),
            Self::Literal(text) => text.replace('\\', r"\\").replace('*', r"\*"),
        }
    }
}

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
