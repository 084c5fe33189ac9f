//! `TransactWriteItems`.

use std::collections::BTreeSet;

use precip_simulator::dynamo::Access;
use serde_json::{Map, Value as Json};

use super::{
    action::{Action, Write},
    error::{Failure, Reason},
    fields::Fields,
    service::{Dynamo, Moment},
    stream::Deleter,
    units::{consumed, read_units},
};
use crate::faults::Fault;

/// The most actions of a transaction.
const ACTIONS: usize = 100;
/// The largest transaction, in bytes: 4 MB.
const LARGEST: usize = 4 * 1024 * 1024;
/// The longest token, in characters.
const LONGEST_TOKEN: usize = 36;
/// The time for which a token is known: 10 minutes.
const TOKEN_LIFE: std::time::Duration = std::time::Duration::from_secs(600);

const WRITES: [(&str, Write); 4] = [
    ("Put", Write::Put),
    ("Update", Write::Update),
    ("Delete", Write::Delete),
    ("ConditionCheck", Write::Check),
];

/// Reads the actions of a transaction.
fn parse_actions(items: &Json) -> Result<Vec<Action>, Failure> {
    let items = items.as_array().map(Vec::as_slice).unwrap_or_default();
    if items.is_empty() || items.len() > ACTIONS {
        return Err(Failure::validation(format!(
            "1 validation error detected: Value at 'transactItems' failed to satisfy constraint: Member \
             must have length less than or equal to {ACTIONS}, Member must have length greater than or \
             equal to 1"
        )));
    }
    let action = |item: &Json| {
        let kinds = WRITES.map(|(name, _)| name);
        let fields = Fields::new(item, "TransactWriteItems", &kinds)?;
        let given = WRITES
            .iter()
            .filter_map(|(name, write)| Some((*write, *name, fields.get(name)?)));
        let [(write, name, json)] = given.collect::<Vec<_>>()[..] else {
            return Err(Failure::validation(
                "TransactItems can only contain one of Check, Put, Update or Delete",
            ));
        };
        Ok(Action::parse(write, json, (name, &[]))?.0)
    };
    let actions: Vec<Action> = items.iter().map(action).collect::<Result<_, _>>()?;
    let mut seen = BTreeSet::new();
    if !actions
        .iter()
        .all(|action| seen.insert((&action.table, &action.key)))
    {
        return Err(Failure::validation(
            "Transaction request cannot include multiple operations on one item",
        ));
    }
    if actions.iter().map(Action::size).sum::<usize>() > LARGEST {
        return Err(Failure::validation(
            "The aggregate size of the items exceeds 4 MB",
        ));
    }
    Ok(actions)
}

impl Dynamo {
    /// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html>
    pub(super) fn transact_write(
        &mut self,
        body: &Json,
        moment: &mut Moment<'_>,
    ) -> Result<Json, Failure> {
        let known = [
            "TransactItems",
            "ClientRequestToken",
            "ReturnConsumedCapacity",
        ];
        let fields = Fields::new(body, "TransactWriteItems", &known)?;
        let wants_capacity = fields.wants_capacity()?;
        let items = fields.required("TransactItems")?;
        let actions = parse_actions(items)?;
        let token = fields.expression("ClientRequestToken");
        if token.is_some_and(|token| token.is_empty() || token.len() > LONGEST_TOKEN) {
            return Err(Failure::validation(
                "1 validation error detected: Value at 'clientRequestToken' failed to satisfy \
                 constraint: Member must have length less than or equal to 36",
            ));
        }
        self.tokens
            .retain(|_, (at, _)| moment.now.saturating_sub(*at) < TOKEN_LIFE);
        let before = token.and_then(|token| self.tokens.get(token));
        let mut units: Map<String, Json> = Map::new();
        let mut add_units = |table: &str, used: f64| {
            let sum = units.get(table).and_then(Json::as_f64).unwrap_or_default();
            units.insert(table.to_owned(), (sum + used).into());
        };
        if let Some((_, earlier)) = before {
            if earlier != items {
                return Err(Failure::TokenMismatch);
            }
            // The transaction was made: a repetition reads its items.
            for action in &actions {
                let table = self.table(&action.table)?;
                let used = 2.0 * read_units(table.size_of(&action.key), true);
                moment.consume(table, &action.key, Access::Read, used)?;
                add_units(&action.table, used);
            }
        } else {
            for (action, used) in self.make_transaction(&actions, moment)? {
                add_units(&action.table, used);
            }
            if let Some(token) = token {
                self.tokens
                    .insert(token.to_owned(), (moment.now, items.clone()));
            }
        }
        let mut answer = Map::new();
        if wants_capacity {
            let of_table = |(name, units): (&String, &Json)| {
                consumed(name, units.as_f64().unwrap_or_default())
            };
            answer.insert(
                "ConsumedCapacity".to_owned(),
                units.iter().map(of_table).collect(),
            );
        }
        Ok(Json::Object(answer))
    }

    /// Makes all actions or none. Every action costs two writes: one to prepare it, one to commit it.
    ///
    /// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html>
    fn make_transaction<'a>(
        &mut self,
        actions: &'a [Action],
        moment: &mut Moment<'_>,
    ) -> Result<Vec<(&'a Action, f64)>, Failure> {
        let mut reasons = vec![Reason::None; actions.len()];
        let mut changes = Vec::with_capacity(actions.len());
        for (action, reason) in actions.iter().zip(&mut reasons) {
            let table = self.table(&action.table)?;
            let locked = table.locked.get(&action.key);
            if locked.is_some_and(|until| *until > moment.now) {
                *reason = Reason::Conflict;
                continue;
            }
            let decision = action.decide(table);
            let units = 2.0 * decision.units;
            match moment.consume(table, &action.key, Access::Write, units) {
                Ok(()) => match decision.outcome {
                    Ok(item) => changes.push((action, units, item)),
                    Err(refusal) => *reason = refusal,
                },
                Err(Failure::KeyThroughput) => *reason = Reason::KeyThroughput,
                Err(_) => *reason = Reason::TableThroughput,
            }
        }
        if moment.happens(Fault::Conflict) {
            let conflicting = moment.rng.usize(..reasons.len());
            if reasons[conflicting] == Reason::None {
                reasons[conflicting] = Reason::Conflict;
            }
        }
        if reasons.iter().any(|reason| *reason != Reason::None) {
            return Err(Failure::Canceled(reasons));
        }
        let until = moment.now + moment.transaction_time;
        let mut made = Vec::with_capacity(changes.len());
        for (action, units, item) in changes {
            let table = self.table(&action.table)?;
            if action.is_write() {
                table.write(&action.key, item, moment.now, Deleter::Call);
            }
            if until > moment.now {
                table.locked.retain(|_, until| *until > moment.now);
                table.locked.insert(action.key.clone(), until);
            }
            made.push((action, units));
        }
        Ok(made)
    }
}
