//! [`SnsTopic`].

use async_trait::async_trait;
use aws_sdk_sns::{
    Client,
    types::{MessageAttributeValue, PublishBatchRequestEntry},
};
use precip_engine::freshness::{FreshnessChange, FreshnessTopic};

use super::error::told;

/// How many messages one call publishes, and how long a subject may be, in characters.
///
/// Source: <https://docs.aws.amazon.com/sns/latest/api/API_PublishBatch.html>
const AT_ONCE: usize = 10;
const SUBJECT: usize = 99;

/// A topic of SNS. A topic rather than an event bus, since those who want to hear that data is too old
/// are people: they subscribe with an address, a chat or a queue, and need no rule, no role and no
/// function for it. The state and the asset are attributes of each message, so that a subscription can
/// filter by them.
#[derive(Debug, Clone)]
pub struct SnsTopic {
    client: Client,
    topic: String,
}

impl SnsTopic {
    /// A topic, by its ARN.
    pub fn new(client: Client, topic: impl Into<String>) -> Self {
        Self {
            client,
            topic: topic.into(),
        }
    }
}

fn attribute(value: impl ToString) -> Result<MessageAttributeValue, String> {
    let attribute = MessageAttributeValue::builder().data_type("String");
    let attribute = attribute.string_value(value.to_string()).build();
    attribute.map_err(|error| error.to_string())
}

/// One change as a message: JSON, with a subject for those who read it as a mail.
fn message(place: usize, change: &FreshnessChange) -> Result<PublishBatchRequestEntry, String> {
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
    // SNS takes printable ASCII only.
    let plain = |c: char| {
        if c.is_ascii_graphic() || c == ' ' {
            c
        } else {
            '?'
        }
    };
    PublishBatchRequestEntry::builder()
        .id(place.to_string())
        .subject(subject.chars().map(plain).take(SUBJECT).collect::<String>())
        .message(text.map_err(|error| error.to_string())?)
        .message_attributes("asset", attribute(&change.asset)?)
        .message_attributes("state", attribute(change.state)?)
        .message_attributes("before", attribute(change.before)?)
        .build()
        .map_err(|error| error.to_string())
}

#[async_trait]
impl FreshnessTopic for SnsTopic {
    async fn raise(&self, changes: &[FreshnessChange]) -> Result<(), String> {
        for some in changes.chunks(AT_ONCE) {
            let messages = some.iter().enumerate();
            let messages = messages.map(|(place, change)| message(place, change));
            let published = self
                .client
                .publish_batch()
                .topic_arn(&self.topic)
                .set_publish_batch_request_entries(Some(messages.collect::<Result<_, _>>()?))
                .send()
                .await
                .map_err(|error| told("SNS", &error))?;
            if let Some(failed) = published.failed().first() {
                let said = failed.message().unwrap_or_default();
                return Err(format!("SNS: {}: {said}", failed.code()));
            }
        }
        Ok(())
    }
}
