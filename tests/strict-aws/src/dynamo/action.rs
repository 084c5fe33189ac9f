//! [`Action`]: a write with its condition, alone or in a transaction.

use serde_json::Value as Json;

use super::{
    error::{Failure, Reason},
    expression::{Condition, Kind, Placeholders, Update, parse_condition, parse_update},
    fields::Fields,
    table::{Key, PARTITION_KEY, SORT_KEY, Table},
    units::write_units,
    value::{Attributes, item_size},
};

/// The largest item, in bytes: 400 KB.
///
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>
pub(crate) const LARGEST_ITEM: usize = 400 * 1024;

/// The parameters that every write has.
const OPTIONS: [&str; 5] = [
    "TableName",
    "ConditionExpression",
    "ExpressionAttributeNames",
    "ExpressionAttributeValues",
    "ReturnValuesOnConditionCheckFailure",
];

/// The kinds of writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Write {
    Put,
    Update,
    Delete,
    Check,
}

#[derive(Debug)]
enum Effect {
    Put(Attributes),
    Update(Update),
    Delete,
    Check,
}

/// A write with its condition.
#[derive(Debug)]
pub(crate) struct Action {
    pub(crate) table: String,
    pub(crate) key: Key,
    effect: Effect,
    condition: Option<Condition>,
    returns_item: bool,
}

/// What an action does to its item, and the units that it consumes. Those of a refused one are charged
/// too.
///
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/WorkingWithItems.html#WorkingWithItems.ConditionalUpdate>
pub(crate) struct Decision {
    pub(crate) units: f64,
    /// The item afterwards.
    pub(crate) outcome: Result<Option<Attributes>, Reason>,
}

impl Action {
    /// Reads a write.
    pub(crate) fn parse<'a>(
        write: Write,
        json: &'a Json,
        (call, options): (&str, &[&str]),
    ) -> Result<(Self, Fields<'a>), Failure> {
        let own: &[&str] = match write {
            Write::Put => &["Item"],
            Write::Update => &["Key", "UpdateExpression"],
            Write::Delete | Write::Check => &["Key"],
        };
        let fields = Fields::new(json, call, &[&OPTIONS, own, options].concat())?;
        let returned = fields.choice("ReturnValues", &["NONE"])?;
        debug_assert!(returned.is_none_or(|value| value == "NONE"));
        let condition = fields.expression("ConditionExpression");
        let update = fields.expression("UpdateExpression");
        let placeholders = Placeholders::from_json(
            fields.get("ExpressionAttributeNames"),
            fields.get("ExpressionAttributeValues"),
            condition.is_some() || update.is_some(),
        )?;
        let (key, effect) = match write {
            Write::Put => {
                let (key, item) = fields.item("Item")?;
                if item_size(&item) > LARGEST_ITEM {
                    return Err(Failure::validation(
                        "Item size has exceeded the maximum allowed size",
                    ));
                }
                (key, Effect::Put(item))
            }
            Write::Update => {
                let update = parse_update(update.unwrap_or_default(), &placeholders)?;
                check_keys_stay(&update)?;
                (fields.key("Key")?, Effect::Update(update))
            }
            Write::Delete => (fields.key("Key")?, Effect::Delete),
            Write::Check => (fields.key("Key")?, Effect::Check),
        };
        let parse = |text| parse_condition(Kind::Condition, text, &placeholders);
        let condition = condition.map(parse).transpose()?;
        if write == Write::Check && condition.is_none() {
            fields.required("ConditionExpression")?;
        }
        placeholders.check_all_used()?;
        let action = Self {
            table: fields.text("TableName")?.to_owned(),
            key,
            effect,
            condition,
            returns_item: fields.wants_refusing_item()?,
        };
        Ok((action, fields))
    }

    /// Returns the size of what the action sends, in bytes.
    pub(crate) fn size(&self) -> usize {
        match &self.effect {
            Effect::Put(item) => item_size(item),
            Effect::Update(_) | Effect::Delete | Effect::Check => {
                item_size(&self.key.to_attributes())
            }
        }
    }

    /// Decides what the action does to its item.
    pub(crate) fn decide(&self, table: &Table) -> Decision {
        let nothing = Attributes::new();
        let current = table.item(&self.key);
        let before = table.size_of(&self.key);
        let refused = |reason| Decision {
            units: write_units(before),
            outcome: Err(reason),
        };
        let holds = |condition: &Condition| condition.holds(current.unwrap_or(&nothing));
        if !self.condition.as_ref().is_none_or(holds) {
            let item = current.filter(|_| self.returns_item).cloned();
            return refused(Reason::Condition(item));
        }
        let after = match &self.effect {
            Effect::Put(item) => Some(item.clone()),
            Effect::Update(update) => match self.apply(update, current) {
                Ok(item) => item,
                Err(Failure::Validation(message)) => return refused(Reason::Validation(message)),
                Err(_) => return refused(Reason::Validation(String::new())),
            },
            Effect::Delete => None,
            Effect::Check => current.cloned(),
        };
        let size = after.as_ref().map_or(0, item_size);
        if size > LARGEST_ITEM {
            return refused(Reason::Validation(
                "Item size to update has exceeded the maximum allowed size".to_owned(),
            ));
        }
        Decision {
            units: write_units(before.max(size)),
            outcome: Ok(after),
        }
    }

    fn apply(
        &self,
        update: &Update,
        current: Option<&Attributes>,
    ) -> Result<Option<Attributes>, Failure> {
        let keys = self.key.to_attributes();
        let after = update.apply(current.unwrap_or(&keys))?;
        // An update that only removes creates no item.
        Ok((current.is_some() || !update.only_removes()).then_some(after))
    }

    /// Returns `true` if the action changes its item.
    pub(crate) fn is_write(&self) -> bool {
        !matches!(self.effect, Effect::Check)
    }
}

fn check_keys_stay(update: &Update) -> Result<(), Failure> {
    let keys = [PARTITION_KEY, SORT_KEY];
    match update
        .changed_paths()
        .find(|path| keys.contains(&path.attribute()))
    {
        None => Ok(()),
        Some(path) => Err(Failure::validation(format!(
            "One or more parameter values were invalid: Cannot update attribute {}. This attribute is \
             part of the key",
            path.attribute()
        ))),
    }
}
