//! Names for CloudFormation, and the values of placeholders in state machines.

use std::collections::{BTreeMap, BTreeSet};

use precip_asl::{
    compile::{BACKFILL, BUCKET, PLANNER},
    model::PARTITION,
};

use super::materializer::Materializer;

/// A source of logical ids: letters and digits, a letter first, each id once.
#[derive(Debug, Default)]
pub(super) struct LogicalIds {
    taken: BTreeSet<String>,
}

impl LogicalIds {
    /// Creates a source in which some ids are used already.
    pub(super) fn with_reserved<'a>(ids: impl IntoIterator<Item = &'a str>) -> Self {
        Self {
            taken: ids.into_iter().map(str::to_owned).collect(),
        }
    }

    /// Returns the id of a name: its words in camel case, with a number at the end if another name
    /// has the same id. The same names in the same order get the same ids.
    pub(super) fn id_for(&mut self, name: &str) -> String {
        let mut id = camel_case(name);
        if !id.starts_with(|c: char| c.is_ascii_alphabetic()) {
            id.insert_str(0, "Setting");
        }
        // A logical id has at most 255 characters; the rest is for the number.
        id.truncate(240);
        // The first free number.
        let mut unique = id.clone();
        let mut number = 2;
        while !self.taken.insert(unique.clone()) {
            unique = format!("{id}{number}");
            number += 1;
        }
        unique
    }
}

/// Returns the words of a name, each with a capital letter, joined.
pub(super) fn camel_case(name: &str) -> String {
    let words = name.split(|c: char| !c.is_ascii_alphanumeric());
    words
        .filter(|word| !word.is_empty())
        .map(capitalize)
        .collect()
}

/// Capitalizes a word: `LANDING` and `landing` become `Landing`, `rowLimit` `RowLimit`.
fn capitalize(word: &str) -> String {
    // A word in capitals is lowered; in any other the capitals inside it stay.
    let all_capitals = !word.bytes().any(|b| b.is_ascii_lowercase());
    let (first, rest) = word.split_at(1);
    let tail = if all_capitals {
        rest.to_ascii_lowercase()
    } else {
        rest.to_owned()
    };
    format!("{}{tail}", first.to_ascii_uppercase())
}

/// The values of the placeholders, `${...}`, in state machines.
#[derive(Debug)]
pub(super) struct Placeholders(BTreeMap<String, PlaceholderValue>);

/// The value of a placeholder.
#[derive(Debug, Clone)]
pub(super) struct PlaceholderValue {
    /// The value, as YAML.
    pub(super) yaml: String,
    /// The logical id of the resource that it identifies.
    pub(super) resource: String,
    /// The logical id of the function whose ARN it is.
    pub(super) function: Option<String>,
}

impl Placeholders {
    pub(super) fn new(materializers: &[Materializer]) -> Self {
        let function = |id: &str| PlaceholderValue {
            yaml: format!("!GetAtt {id}.Arn"),
            resource: id.to_owned(),
            function: Some(id.to_owned()),
        };
        let value = |id: &str| PlaceholderValue {
            yaml: format!("!Ref {id}"),
            resource: id.to_owned(),
            function: None,
        };
        let mut known = BTreeMap::from([
            (BUCKET.to_owned(), value("Bucket")),
            (PARTITION.to_owned(), value("AWS::Partition")),
            (BACKFILL.to_owned(), value("Backfill")),
            (PLANNER.to_owned(), function("Planner")),
        ]);
        known.extend(
            materializers
                .iter()
                .map(|m| (m.placeholder.clone(), function(&m.id))),
        );
        Self(known)
    }

    pub(super) fn get(&self, name: &str) -> Option<&PlaceholderValue> {
        self.0.get(name)
    }

    pub(super) fn known_names(&self) -> Vec<String> {
        self.0.keys().cloned().collect()
    }
}
