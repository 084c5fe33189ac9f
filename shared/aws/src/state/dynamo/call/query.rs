//! Lists: [`Query`].

use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity};
use precip_engine::state::{ReadConsistency, StateResult};

use super::{
    super::{
        error::sdk_error,
        item::{Item, text_value},
        keys::Key,
    },
    table::{Table, is_strong, key_attributes},
};

/// A selection of the rows under one partition key.
#[derive(Debug, Clone)]
pub(in super::super) struct Query {
    pub(in super::super) pk: String,
    /// The prefix that sort keys must have.
    pub(in super::super) prefix: Option<String>,
    /// The sort key after which reading begins, in the direction of reading.
    pub(in super::super) after: Option<String>,
    pub(in super::super) newest_first: bool,
    pub(in super::super) limit: Option<usize>,
    pub(in super::super) consistency: ReadConsistency,
    /// A filter expression, with the name and the value of its one placeholder.
    pub(in super::super) filter: Option<(String, (String, AttributeValue))>,
}

impl Query {
    /// Selects every row of a partition key.
    pub(in super::super) fn rows_of(pk: impl Into<String>) -> Self {
        Self {
            pk: pk.into(),
            prefix: None,
            after: None,
            newest_first: false,
            limit: None,
            consistency: ReadConsistency::Strong,
            filter: None,
        }
    }

    /// Selects only sort keys with a prefix.
    pub(in super::super) fn with_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = Some(prefix.into());
        self
    }

    /// Begins after a sort key, in the direction of reading. It must have the query's prefix.
    pub(in super::super) fn starting_after(mut self, sk: Option<String>) -> Self {
        self.after = sk;
        self
    }

    pub(in super::super) fn newest_first(mut self) -> Self {
        self.newest_first = true;
        self
    }

    pub(in super::super) fn with_limit(mut self, limit: usize) -> Self {
        self.limit = Some(limit);
        self
    }

    pub(in super::super) fn eventually_consistent(mut self) -> Self {
        self.consistency = ReadConsistency::Eventual;
        self
    }
}

impl Table {
    /// Reads the selected rows in order, page after page up to the limit.
    pub(in super::super) async fn query_rows(&self, query: Query) -> StateResult<Vec<Item>> {
        let mut found = Vec::new();
        let mut start = query.after.as_ref().map(|sk| {
            key_attributes(&Key {
                pk: query.pk.clone(),
                sk: sk.clone(),
            })
        });
        loop {
            // A page ends at 1 MB, whatever the limit: the rest is read from its last key.
            let mut ask = self
                .client
                .query()
                .table_name(&self.name)
                .expression_attribute_values(":pk", text_value(&query.pk))
                .consistent_read(is_strong(query.consistency))
                .scan_index_forward(!query.newest_first)
                .return_consumed_capacity(ReturnConsumedCapacity::Total)
                .set_exclusive_start_key(start);
            ask = match &query.prefix {
                Some(prefix) => ask
                    .key_condition_expression("pk = :pk AND begins_with(sk, :prefix)")
                    .expression_attribute_values(":prefix", text_value(prefix)),
                None => ask.key_condition_expression("pk = :pk"),
            };
            if let Some((filter, (name, value))) = &query.filter {
                ask = ask
                    .filter_expression(filter)
                    .expression_attribute_values(name, value.clone());
            } else if let Some(limit) = query.limit {
                // DynamoDB counts rows before it filters them, so only an unfiltered query is limited.
                let left = limit.saturating_sub(found.len());
                ask = ask.limit(i32::try_from(left).unwrap_or(i32::MAX).max(1));
            }
            let answer = ask
                .send()
                .await
                .map_err(|error| sdk_error(&self.name, "list rows", error))?;
            let used = answer.consumed_capacity.as_ref();
            self.meter
                .count_read(used.and_then(|used| used.capacity_units));
            found.extend(answer.items.unwrap_or_default());
            start = answer.last_evaluated_key.filter(|key| !key.is_empty());
            let enough = query.limit.is_some_and(|limit| found.len() >= limit);
            // A filtered page may be empty without being the last.
            if enough || start.is_none() {
                found.truncate(query.limit.unwrap_or(usize::MAX));
                return Ok(found);
            }
        }
    }
}
