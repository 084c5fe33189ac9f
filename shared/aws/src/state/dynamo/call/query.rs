//! Lists: [`Query`].

use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity};
use precip_engine::state::{ReadConsistency, StateResult};

use super::{
    super::{
        error::of_sdk,
        item::{Item, text},
        keys::Key,
    },
    table::{Table, attributes, is_strong},
};

/// Which rows of one partition key are read.
#[derive(Debug, Clone)]
pub(in super::super) struct Query {
    pub(in super::super) pk: String,
    pub(in super::super) prefix: Option<String>,
    /// Only what comes behind this sort key, in the direction of reading.
    pub(in super::super) after: Option<String>,
    pub(in super::super) newest_first: bool,
    pub(in super::super) limit: Option<usize>,
    pub(in super::super) consistency: ReadConsistency,
    pub(in super::super) filter: Option<(String, (String, AttributeValue))>,
}

impl Query {
    /// Every row of a partition key.
    pub(in super::super) fn all(pk: impl Into<String>) -> Self {
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

    /// Only sort keys that begin with something.
    pub(in super::super) fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = Some(prefix.into());
        self
    }

    /// Only sort keys behind a place, in the direction of reading. The place begins with the prefix.
    pub(in super::super) fn after(mut self, place: Option<String>) -> Self {
        self.after = place;
        self
    }

    pub(in super::super) fn newest_first(mut self) -> Self {
        self.newest_first = true;
        self
    }

    pub(in super::super) fn limit(mut self, limit: usize) -> Self {
        self.limit = Some(limit);
        self
    }

    pub(in super::super) fn eventual(mut self) -> Self {
        self.consistency = ReadConsistency::Eventual;
        self
    }
}

impl Table {
    /// Rows of one partition key, in order, page after page until there are as many as wanted.
    pub(in super::super) async fn query(&self, query: Query) -> StateResult<Vec<Item>> {
        let mut found = Vec::new();
        let mut start = query.after.as_ref().map(|sk| {
            attributes(&Key {
                pk: query.pk.clone(),
                sk: sk.clone(),
            })
        });
        loop {
            let mut ask = self
                .client
                .query()
                .table_name(&self.name)
                .expression_attribute_values(":pk", text(&query.pk))
                .consistent_read(is_strong(query.consistency))
                .scan_index_forward(!query.newest_first)
                .return_consumed_capacity(ReturnConsumedCapacity::Total)
                .set_exclusive_start_key(start);
            ask = match &query.prefix {
                Some(prefix) => ask
                    .key_condition_expression("pk = :pk AND begins_with(sk, :prefix)")
                    .expression_attribute_values(":prefix", text(prefix)),
                None => ask.key_condition_expression("pk = :pk"),
            };
            if let Some((filter, (name, value))) = &query.filter {
                ask = ask
                    .filter_expression(filter)
                    .expression_attribute_values(name, value.clone());
            } else if let Some(limit) = query.limit {
                let left = limit.saturating_sub(found.len());
                ask = ask.limit(i32::try_from(left).unwrap_or(i32::MAX).max(1));
            }
            let answer = ask
                .send()
                .await
                .map_err(|error| of_sdk(&self.name, "list rows", error))?;
            let used = answer.consumed_capacity.as_ref();
            self.meter.read(used.and_then(|used| used.capacity_units));
            found.extend(answer.items.unwrap_or_default());
            start = answer.last_evaluated_key.filter(|key| !key.is_empty());
            let enough = query.limit.is_some_and(|limit| found.len() >= limit);
            if enough || start.is_none() {
                found.truncate(query.limit.unwrap_or(usize::MAX));
                return Ok(found);
            }
        }
    }
}
