//! [`TableDefinition`]: what the table has to look like.

use aws_sdk_dynamodb::{
    Client,
    types::{
        AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
        StreamSpecification, StreamViewType,
    },
};
use precip_engine::state::StateError;

use super::error::of_sdk;

/// Whether a key attribute chooses the place or the order in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// The partition key (`HASH`).
    Partition,
    /// The sort key (`RANGE`).
    Sort,
}

/// The one table: what a template declares and what tests create.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TableDefinition {
    /// The key attributes; both are strings.
    pub keys: [(&'static str, KeyKind); 2],
    /// The attribute that holds when a row may be deleted, in seconds since 1970.
    pub ttl: &'static str,
    /// What the stream holds of each change.
    pub stream: &'static str,
}

impl TableDefinition {
    /// The table that [`DynamoStore`](super::DynamoStore) and its projection work on: on-demand, no
    /// index.
    pub const PRECIP: Self = Self {
        keys: [("pk", KeyKind::Partition), ("sk", KeyKind::Sort)],
        ttl: "ttl",
        stream: "NEW_AND_OLD_IMAGES",
    };

    /// Creates the table, for tests and trials; a deployment has it in its template.
    ///
    /// # Errors
    /// Whatever DynamoDB refuses, such as a table that is there already.
    pub async fn create(&self, client: &Client, table: &str) -> Result<(), StateError> {
        let mut create = client
            .create_table()
            .table_name(table)
            .billing_mode(BillingMode::PayPerRequest)
            .stream_specification(
                StreamSpecification::builder()
                    .stream_enabled(true)
                    .stream_view_type(StreamViewType::from(self.stream))
                    .build()
                    .map_err(|error| super::error::request(table, error))?,
            );
        for (name, kind) in self.keys {
            let kind = match kind {
                KeyKind::Partition => KeyType::Hash,
                KeyKind::Sort => KeyType::Range,
            };
            create = create
                .attribute_definitions(
                    AttributeDefinition::builder()
                        .attribute_name(name)
                        .attribute_type(ScalarAttributeType::S)
                        .build()
                        .map_err(|error| super::error::request(table, error))?,
                )
                .key_schema(
                    KeySchemaElement::builder()
                        .attribute_name(name)
                        .key_type(kind)
                        .build()
                        .map_err(|error| super::error::request(table, error))?,
                );
        }
        create
            .send()
            .await
            .map(drop)
            .map_err(|error| of_sdk(table, "create the table", error))
    }
}
