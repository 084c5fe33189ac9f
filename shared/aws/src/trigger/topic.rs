//! [`SnsTopic`].

use async_trait::async_trait;
use aws_sdk_sns::{
    Client,
    types::{MessageAttributeValue, PublishBatchRequestEntry},
};
use precip_engine::freshness::{FreshnessChange, FreshnessTopic};

use crate::error::describe;

/// The most messages that one call publishes.
///
/// Source: <https://docs.aws.amazon.com/sns/latest/api/API_PublishBatch.html>
const MESSAGES_PER_CALL: usize = 10;
/// The longest subject of a message, in characters.
///
/// Source: <https://docs.aws.amazon.com/sns/latest/api/API_PublishBatchRequestEntry.html>
const MAX_SUBJECT: usize = 99;

/// A topic of SNS that receives freshness changes.
///
/// It is a topic rather than an event bus because its subscribers are people: they subscribe with an
/// address, a chat or a queue, and need no rule, role or function. The state and the asset are
/// attributes of each message, so a subscription can filter by them.
#[derive(Debug, Clone)]
pub struct SnsTopic {
    client: Client,
    topic: String,
}

impl SnsTopic {
    /// Publishes to a topic, identified by its ARN.
    pub fn new(client: Client, topic: impl Into<String>) -> Self {
        Self {
            client,
            topic: topic.into(),
        }
    }
}

fn string_attribute(value: impl ToString) -> Result<MessageAttributeValue, String> {
    MessageAttributeValue::builder()
        .data_type("String")
        .string_value(value.to_string())
        .build()
        .map_err(|error| error.to_string())
}

/// Converts a change to a message: JSON, with a subject for mails.
fn to_message(index: usize, change: &FreshnessChange) -> Result<PublishBatchRequestEntry, String> {
    let text = serde_json::to_string(&serde_json::json!({
        "id": change.id(),
        "event": "freshness",
        "asset": change.asset,
        "state": change.state,
        "before": change.before,
        "at": change.at,
        "last_materialized": change.last_materialized,
    }));
    let subject = format!("{}: {}", change.state, change.asset);
    // SNS accepts only printable ASCII in a subject.
    let plain = |c: char| {
        if c.is_ascii_graphic() || c == ' ' {
            c
        } else {
            '?'
        }
    };
    PublishBatchRequestEntry::builder()
        .id(index.to_string())
        .subject(
            subject
                .chars()
                .map(plain)
                .take(MAX_SUBJECT)
                .collect::<String>(),
        )
        .message(text.map_err(|error| error.to_string())?)
        .message_attributes("asset", string_attribute(&change.asset)?)
        .message_attributes("state", string_attribute(change.state)?)
        .message_attributes("before", string_attribute(change.before)?)
        .build()
        .map_err(|error| error.to_string())
}

#[async_trait]
impl FreshnessTopic for SnsTopic {
    async fn raise_changes(&self, changes: &[FreshnessChange]) -> Result<(), String> {
        for batch in changes.chunks(MESSAGES_PER_CALL) {
            let numbered = batch.iter().enumerate();
            let messages = numbered.map(|(index, change)| to_message(index, change));
            let published = self
                .client
                .publish_batch()
                .topic_arn(&self.topic)
                .set_publish_batch_request_entries(Some(messages.collect::<Result<_, _>>()?))
                .send()
                .await
                .map_err(|error| describe("SNS", &error))?;
            if let Some(failed) = published.failed().first() {
                // The call succeeds even when SNS refuses some of its messages.
                let said = failed.message().unwrap_or_default();
                return Err(format!("SNS: {}: {said}", failed.code()));
            }
        }
        Ok(())
    }
}
