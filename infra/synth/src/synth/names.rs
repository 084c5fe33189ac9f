//! Names that CloudFormation takes, and what placeholders in state machines stand for.

use std::collections::{BTreeMap, BTreeSet};

use precip_asl::compile::{BACKFILL, BUCKET, PLANNER};

use super::materializer::Materializer;

/// Hands out logical ids: letters and digits, a letter first, each once.
#[derive(Debug, Default)]
pub(super) struct LogicalIds {
    taken: BTreeSet<String>,
}

impl LogicalIds {
    /// Ids that are taken already.
    pub(super) fn reserving<'a>(ids: impl IntoIterator<Item = &'a str>) -> Self {
        Self {
            taken: ids.into_iter().map(str::to_owned).collect(),
        }
    }

    /// The id of a name: its words in camel case, and a number behind it if another name has that
    /// id already. The same names in the same order get the same ids.
    pub(super) fn of(&mut self, name: &str) -> String {
        let mut id = camel_case(name);
        if !id.starts_with(|c: char| c.is_ascii_alphabetic()) {
            id.insert_str(0, "Setting");
        }
        // A logical id has at most 255 characters; the number needs a few.
        id.truncate(240);
        let mut unique = id.clone();
        let mut number = 2;
        while !self.taken.insert(unique.clone()) {
            unique = format!("{id}{number}");
            number += 1;
        }
        unique
    }
}

/// The words of a name, each with a capital letter, and nothing between them.
pub(super) fn camel_case(name: &str) -> String {
    let words = name.split(|c: char| !c.is_ascii_alphanumeric());
    words.filter(|word| !word.is_empty()).map(camel).collect()
}

/// `LANDING` and `landing` become `Landing`, `rowLimit` `RowLimit`.
fn camel(word: &str) -> String {
    let shouted = !word.bytes().any(|b| b.is_ascii_lowercase());
    let (first, rest) = word.split_at(1);
    let rest = if shouted {
        rest.to_ascii_lowercase()
    } else {
        rest.to_owned()
    };
    format!("{}{rest}", first.to_ascii_uppercase())
}

/// What may stand in a state machine as `${...}`.
#[derive(Debug)]
pub(super) struct Placeholders(BTreeMap<String, Stands>);

/// What stands for a placeholder.
#[derive(Debug, Clone)]
pub(super) struct Stands {
    /// The value, as YAML.
    pub(super) yaml: String,
    /// The function whose ARN it is, by logical id.
    pub(super) function: Option<String>,
}

impl Placeholders {
    pub(super) fn new(materializers: &[Materializer]) -> Self {
        let function = |id: &str| Stands {
            yaml: format!("!GetAtt {id}.Arn"),
            function: Some(id.to_owned()),
        };
        let value = |yaml: &str| Stands {
            yaml: yaml.to_owned(),
            function: None,
        };
        let mut known = BTreeMap::from([
            (BUCKET.to_owned(), value("!Ref Bucket")),
            (BACKFILL.to_owned(), value("!Ref Backfill")),
            (PLANNER.to_owned(), function("Planner")),
        ]);
        known.extend(
            materializers
                .iter()
                .map(|m| (m.placeholder.clone(), function(&m.id))),
        );
        Self(known)
    }

    pub(super) fn get(&self, name: &str) -> Option<&Stands> {
        self.0.get(name)
    }

    pub(super) fn names(&self) -> Vec<String> {
        self.0.keys().cloned().collect()
    }
}
