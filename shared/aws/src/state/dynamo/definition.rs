//! [`TableDefinition`]: the shape of the table.

use aws_sdk_dynamodb::{
    Client,
    types::{
        AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
        StreamSpecification, StreamViewType,
    },
};
use precip_engine::state::StateError;

use super::error::sdk_error;

/// The role of a key attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// The partition key (`HASH`).
    Partition,
    /// The sort key (`RANGE`).
    Sort,
}

/// The shape of the table, which a template declares and tests create.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TableDefinition {
    /// The key attributes; both are strings.
    pub keys: [(&'static str, KeyKind); 2],
    /// The attribute that holds a row's expiry, in seconds since 1970.
    pub ttl: &'static str,
    /// The view type of the stream.
    pub stream: &'static str,
}

impl TableDefinition {
    /// The table of [`DynamoStore`](super::DynamoStore) and its projection: on-demand, without an
    /// index.
    pub const PRECIP: Self = Self {
        keys: [("pk", KeyKind::Partition), ("sk", KeyKind::Sort)],
        ttl: "ttl",
        stream: "NEW_AND_OLD_IMAGES",
    };

    /// Creates the table, for tests and trials. A deployment declares it in its template.
    ///
    /// # Errors
    /// When DynamoDB refuses, such as for a table that exists already.
    pub async fn create_table(&self, client: &Client, table: &str) -> Result<(), StateError> {
        let mut create = client
            .create_table()
            .table_name(table)
            .billing_mode(BillingMode::PayPerRequest)
            .stream_specification(
                StreamSpecification::builder()
                    .stream_enabled(true)
                    .stream_view_type(StreamViewType::from(self.stream))
                    .build()
                    .map_err(|error| super::error::incomplete_request(table, error))?,
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
                        .map_err(|error| super::error::incomplete_request(table, error))?,
                )
                .key_schema(
                    KeySchemaElement::builder()
                        .attribute_name(name)
                        .key_type(kind)
                        .build()
                        .map_err(|error| super::error::incomplete_request(table, error))?,
                );
        }
        create
            .send()
            .await
            .map(drop)
            .map_err(|error| sdk_error(table, "create the table", error))
    }
}
