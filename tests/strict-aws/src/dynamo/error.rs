//! [`Failure`]: the error answers of DynamoDB.
//!
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html>

use serde_json::{Map, Value as Json, json};

use crate::dynamo::value::{Attributes, item_to_json};

/// A refused call.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Failure {
    /// The request is wrong: `ValidationException`.
    Validation(String),
    /// The table does not exist.
    NoTable,
    /// The condition does not hold. Holds the current item, if it was asked for and exists.
    Condition(Option<Attributes>),
    /// A transaction changes the item.
    TransactionConflict,
    /// The transaction was canceled. Holds the reason for each of its actions.
    Canceled(Vec<Reason>),
    /// A token was used for another transaction.
    TokenMismatch,
    /// A key takes no more.
    KeyThroughput,
    /// The table takes no more.
    TableThroughput,
    /// DynamoDB failed.
    Internal,
}

/// The reason why an action of a transaction was not made.
///
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html>
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Reason {
    /// Nothing is wrong with this action.
    None,
    /// Its condition does not hold. Holds the current item, if it was asked for and exists.
    Condition(Option<Attributes>),
    /// Another call changes the item.
    Conflict,
    /// Its key takes no more.
    KeyThroughput,
    /// The table takes no more.
    TableThroughput,
    /// It cannot be made on the item as it is.
    Validation(String),
}

impl Reason {
    fn code(&self) -> &'static str {
        match self {
            Self::None => "None",
            Self::Condition(_) => "ConditionalCheckFailed",
            Self::Conflict => "TransactionConflict",
            Self::KeyThroughput => "ProvisionedThroughputExceeded",
            Self::TableThroughput => "ThrottlingError",
            Self::Validation(_) => "ValidationError",
        }
    }

    fn to_json(&self) -> Json {
        let message = match self {
            Self::None => return json!({"Code": "None"}),
            Self::Condition(_) => "The conditional request failed",
            Self::Conflict => "Transaction is ongoing for the item",
            Self::KeyThroughput => KEY_THROUGHPUT,
            Self::TableThroughput => TABLE_THROUGHPUT,
            Self::Validation(message) => message,
        };
        let mut reason = json!({"Code": self.code(), "Message": message});
        if let Self::Condition(Some(item)) = self {
            reason["Item"] = item_to_json(item);
        }
        reason
    }
}

const KEY_THROUGHPUT: &str = "The level of configured provisioned throughput for one or more partitions \
     of the table was exceeded. Consider increasing your provisioning level with the UpdateTable API.";
const TABLE_THROUGHPUT: &str = "Throughput exceeds the current capacity of your table or index. DynamoDB \
     is automatically scaling your table or index so please try again shortly.";

impl Failure {
    /// Returns a `ValidationException`.
    pub(crate) fn validation(message: impl Into<String>) -> Self {
        Self::Validation(message.into())
    }

    /// Returns `true` if the request itself is wrong, whatever the table holds.
    pub(crate) fn is_mistake(&self) -> bool {
        match self {
            Self::Validation(_) | Self::NoTable | Self::TokenMismatch => true,
            Self::Canceled(reasons) => {
                let wrong = |reason: &Reason| matches!(reason, Reason::Validation(_));
                reasons.iter().any(wrong)
            }
            Self::Condition(_)
            | Self::TransactionConflict
            | Self::KeyThroughput
            | Self::TableThroughput
            | Self::Internal => false,
        }
    }

    /// Returns the code of the answer.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Validation(_) => "ValidationException",
            Self::NoTable => "ResourceNotFoundException",
            Self::Condition(_) => "ConditionalCheckFailedException",
            Self::TransactionConflict => "TransactionConflictException",
            Self::Canceled(_) => "TransactionCanceledException",
            Self::TokenMismatch => "IdempotentParameterMismatchException",
            Self::KeyThroughput => "ProvisionedThroughputExceededException",
            Self::TableThroughput => "ThrottlingException",
            Self::Internal => "InternalServerError",
        }
    }

    /// Returns the message of the answer.
    pub(crate) fn message(&self) -> String {
        match self {
            Self::Validation(message) => message.clone(),
            Self::NoTable => "Requested resource not found".to_owned(),
            Self::Condition(_) => "The conditional request failed".to_owned(),
            Self::TransactionConflict => "Transaction is ongoing for the item".to_owned(),
            Self::Canceled(reasons) => {
                let codes: Vec<_> = reasons.iter().map(Reason::code).collect();
                let codes = codes.join(", ");
                format!(
                    "Transaction cancelled, please refer cancellation reasons for specific reasons [{codes}]"
                )
            }
            Self::TokenMismatch => "The request uses the same client token as a previous, but \
                                    non-identical request"
                .to_owned(),
            Self::KeyThroughput => KEY_THROUGHPUT.to_owned(),
            Self::TableThroughput => TABLE_THROUGHPUT.to_owned(),
            Self::Internal => "Internal server error".to_owned(),
        }
    }

    /// Returns the HTTP status and the body of the answer.
    pub(crate) fn to_answer(&self) -> (u16, Json) {
        let name = self.code();
        // Errors that every AWS service has are in another name space.
        let space = match self {
            Self::Validation(_) | Self::TableThroughput => "com.amazon.coral.validate",
            _ => "com.amazonaws.dynamodb.v20120810",
        };
        let mut body = Map::new();
        body.insert("__type".to_owned(), json!(format!("{space}#{name}")));
        body.insert("message".to_owned(), json!(self.message()));
        match self {
            Self::Condition(Some(item)) => {
                body.insert("Item".to_owned(), item_to_json(item));
            }
            Self::Canceled(reasons) => {
                let reasons = reasons.iter().map(Reason::to_json).collect();
                body.insert("CancellationReasons".to_owned(), reasons);
            }
            _ => {}
        }
        let status = if *self == Self::Internal { 500 } else { 400 };
        (status, Json::Object(body))
    }
}
